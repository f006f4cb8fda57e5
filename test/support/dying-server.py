"""A server that a supervisor runs, without a mount, and none of whose successors serves: dying-server.py KIND FIFO FILE.
An open FIFO stands for the connection with the kernel, and FILE for the file that aborts the connection.

KIND  named  names FILE for the connection
      anew   does that, and then stores another connection
      ended  names FILE for a connection that has ended: poll(2) reports an error for it, as for such a device
"""

import os
import signal
import socket
import sys

kind, fifo, file = sys.argv[1:]
channel_fd, restarts, *kept = os.environ["DAGMOUNT_SUPERVISOR"].split(" ")
channel = socket.socket(fileno=int(channel_fd))


def connection():
    if kind != "ended":
        return os.open(fifo, os.O_RDWR)
    reading, writing = os.pipe()
    os.close(reading)
    return writing


def say(text, *fds):
    socket.send_fds(channel, [text.encode()], fds)


if any(each.startswith("fuse=") for each in kept):
    sys.exit(1)
if restarts != "0":
    sys.exit(0)
say("FDSTORE=1\nFDNAME=fuse", connection())
# A server that has not said this would be late as soon as the deadline is that short.
say("WATCHDOG=1")
say(f"TAKEOVER=1 {file}")
if kind == "anew":
    say("FDSTORE=1\nFDNAME=fuse", connection())
os.kill(os.getpid(), signal.SIGKILL)
