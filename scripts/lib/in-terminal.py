"""Runs a command in a terminal of its own, for a caller without a terminal.

in-terminal.py COLUMNS ROWS COMMAND...

What the command writes to its terminal goes to stdout as it is. Lines of JSON on stdin act on it: {"type": TEXT},
{"resize": [COLUMNS, ROWS]}, {"signal": NAME}. When the command has ended, one line of JSON on
stderr tells its exit code (or minus the signal that ended it) and whether the terminal is as it was before:
{"code": 0, "restored": true}.
"""

import fcntl
import json
import os
import pty
import select
import signal
import struct
import sys
import termios


def resize(fd, columns, rows):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def main():
    columns, rows, *command = sys.argv[1:]
    master, slave = pty.openpty()
    resize(master, int(columns), int(rows))
    before = termios.tcgetattr(slave)
    child = os.fork()
    if child == 0:
        os.close(master)
        os.setsid()
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
        for fd in (0, 1, 2):
            os.dup2(slave, fd)
        os.execvp(command[0], command)
    act = {
        "type": lambda text: os.write(master, text.encode()),
        "resize": lambda size: resize(master, *size),
        "signal": lambda name: os.kill(child, getattr(signal, name)),
    }
    code = None
    waiting = b""
    sources = [master, 0]
    while True:
        readable, _, _ = select.select(sources, [], [], 0.02)
        if 0 in readable:
            chunk = os.read(0, 65536)
            if not chunk:
                # The caller is gone: the command ends, as if its window was closed.
                os.kill(child, signal.SIGKILL)
                sources = [master]
            *lines, waiting = (waiting + chunk).split(b"\n")
            for line in lines:
                for name, value in json.loads(line).items():
                    act[name](value)
        if master in readable:
            sys.stdout.buffer.write(os.read(master, 65536))
            sys.stdout.buffer.flush()
            continue
        if code is None:
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                code = os.waitstatus_to_exitcode(status)
        elif not readable:
            break
    restored = termios.tcgetattr(slave) == before
    print(json.dumps({"code": code, "restored": restored}), file=sys.stderr, flush=True)


main()
