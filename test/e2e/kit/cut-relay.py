"""Carries frames between a camera's line and a bay's, and takes the camera out of the bay at one byte.

Argument: the camera's line. Orders on stdin: `plug LINK BYTES` puts the camera into the bay whose line is LINK, and takes it out when it has
sent so many bytes and the dock has them; `unplug` takes it out now. What happens is told on stdout, a JSON array a line, in the order in which it
happened: ["read", counter, from, to] as the dock asks, ["data", counter, from, to] as bytes reach the dock in a whole frame, and
["out", bytes] when the camera is out, with the bytes that were carried to the dock.
"""
import array, fcntl, json, os, pty, select, struct, sys, termios, time, tty, zlib

HEADER, CHECKSUM, READ, DATA = 16, 4, 0x05, 0x86
QUIET_SECONDS = 0.02


def say(*what):
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


class Frames:
    """Cuts a stream into frames."""

    def __init__(self, on_frame):
        self.kept = b""
        self.on_frame = on_frame

    def feed(self, data):
        self.kept += data
        while len(self.kept) >= HEADER:
            kind, request, length, check = struct.unpack_from("<xxBxIII", self.kept)
            if zlib.crc32(self.kept[:12]) != check:
                # The end of a frame that the camera had begun before it was taken out.
                self.kept = self.kept[1:]
                continue
            end = HEADER + length + CHECKSUM
            if len(self.kept) < end:
                return
            self.on_frame(kind, request, self.kept[HEADER : HEADER + length])
            self.kept = self.kept[end:]


class Bay:
    def __init__(self, link, limit, camera_path):
        self.link = link
        self.left = limit
        self.carried = 0
        self.asked = {}
        # The other end stays open here, so that what is in it can be looked at.
        self.master, self.slave = pty.openpty()
        tty.setraw(self.slave)
        self.camera = os.open(camera_path, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self.camera)
        self.from_dock = Frames(self.on_dock)
        self.from_camera = Frames(self.on_camera)
        os.symlink(os.ttyname(self.slave), link)

    def on_dock(self, kind, request, payload):
        if kind == READ:
            counter, offset, length, _ = struct.unpack("<QQII", payload)
            self.asked[request] = (counter, offset)
            say("read", counter, offset, offset + length)

    def on_camera(self, kind, request, payload):
        if kind == DATA and request in self.asked:
            counter, first = self.asked[request]
            offset = first + struct.unpack_from("<I", payload)[0]
            say("data", counter, offset, offset + len(payload) - 4)

    def carry_to_dock(self):
        data = os.read(self.camera, 65536)[: self.left]
        # Told only when all of it is on its way.
        write_all(self.master, data)
        self.from_camera.feed(data)
        self.left -= len(data)
        self.carried += len(data)

    def carry_to_camera(self):
        data = os.read(self.master, 65536)
        self.from_dock.feed(data)
        write_all(self.camera, data)

    def waiting_bytes(self):
        count = array.array("i", [0])
        fcntl.ioctl(self.slave, termios.FIONREAD, count)
        return count[0]

    def take_out(self):
        quiet_since = time.monotonic()
        while time.monotonic() - quiet_since < QUIET_SECONDS:
            if self.waiting_bytes() > 0:
                quiet_since = time.monotonic()
            time.sleep(0.001)
        os.unlink(self.link)
        for end in (self.master, self.slave, self.camera):
            os.close(end)
        say("out", self.carried)


def write_all(fd, data):
    while data:
        data = data[os.write(fd, data) :]


def main():
    bay = None
    say("ready")
    while True:
        ready, _, _ = select.select([0] + ([bay.master, bay.camera] if bay else []), [], [])
        if bay and bay.master in ready:
            bay.carry_to_camera()
        if bay and bay.camera in ready:
            bay.carry_to_dock()
        if 0 in ready:
            words = os.read(0, 4096).decode().split()
            if not words:
                return
            if words[0] == "plug":
                bay = Bay(words[1], int(words[2]), sys.argv[1])
            elif bay:
                bay.left = 0
        if bay and bay.left == 0:
            bay.take_out()
            bay = None


main()
