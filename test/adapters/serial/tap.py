"""Stands between a dock and a camera. Arguments: the link to make for the dock; the camera's link; a file for what the dock sends."""
import os, pty, select, sys, tty

master, slave = pty.openpty()
tty.setraw(slave)
camera = os.open(sys.argv[2], os.O_RDWR | os.O_NOCTTY)
tty.setraw(camera)
log = open(sys.argv[3], "wb", buffering=0)
os.symlink(os.ttyname(slave), sys.argv[1])
print("ready", flush=True)
while True:
    readable, _, _ = select.select([master, camera], [], [])
    for source in readable:
        bytes_ = os.read(source, 65536)
        if not bytes_:
            sys.exit()
        if source == master:
            log.write(bytes_)
        os.write(camera if source == master else master, bytes_)
