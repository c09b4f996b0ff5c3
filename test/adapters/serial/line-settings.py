"""A pty whose settings can be asked for. Argument: the link to make. Answers each line of input with the rate and the word rtscts or none."""
import os, pty, sys, termios, tty

master, slave = pty.openpty()
tty.setraw(slave)
os.symlink(os.ttyname(slave), sys.argv[1])
print("ready", flush=True)
for _ in sys.stdin:
    # The settings of both ends are the same.
    flags = termios.tcgetattr(master)
    rates = {getattr(termios, name): name[1:] for name in dir(termios) if name[0] == "B" and name[1:].isdigit()}
    print(rates.get(flags[5]), "rtscts" if flags[2] & termios.CRTSCTS else "none", flush=True)
