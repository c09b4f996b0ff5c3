"""A foreign device behind a pty: floods the line or says nothing. Arguments: the link to make; `noise`, `headers` or `silence`."""
import os, pty, struct, sys, time, tty, zlib

master, slave = pty.openpty()
tty.setraw(slave)
os.symlink(os.ttyname(slave), sys.argv[1])
os.close(slave)


def headers():
    # Headers that hold, inside each other, each of a payload whose checksum fails: the most work for a byte.
    block = b""
    for _ in range(4096):
        head = b"\xd0\xc4\x86\x00" + struct.pack("<II", 7, 65000)
        block += head + struct.pack("<I", zlib.crc32(head))
    return block


block = headers() if sys.argv[2] == "headers" else os.urandom(65536)
print("ready", flush=True)
if sys.argv[2] == "silence":
    while True:
        try:
            os.read(master, 65536)
        except OSError:
            # Nobody has the other end open.
            time.sleep(0.01)
while True:
    try:
        os.write(master, block)
    except OSError:
        pass
