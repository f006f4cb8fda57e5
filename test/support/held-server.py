"""A server that a supervisor runs, without a mount: held-server.py FIFO. An open FIFO stands for the connection with the
kernel. Prints a JSON line of what it inherited, and says that it is alive until it is told to end."""

import json
import os
import selectors
import signal
import socket
import sys

channel_fd, restarts, *kept = os.environ["DAGMOUNT_SUPERVISOR"].split(" ")
held = {name: int(fd) for name, fd in (each.split("=") for each in kept)}
channel = socket.socket(fileno=int(channel_fd))
orders = socket.socket(fileno=held.pop("orders"))


def say(text, *fds):
    socket.send_fds(channel, [text.encode()], fds)


def end(*_):
    say("FDSTOREREMOVE=1\nFDNAME=fuse")
    sys.exit(0)


signal.signal(signal.SIGTERM, end)
journal = os.pread(held["journal"], 100, 0).decode() if "journal" in held else None
environment = sorted(name for name in os.environ if name.startswith("DAGMOUNT_HOLD"))
if "fuse" not in held:
    fd = os.memfd_create("journal")
    os.write(fd, str(os.getpid()).encode())
    say("FDSTORE=1\nFDNAME=fuse", os.open(sys.argv[1], os.O_RDWR))
    say("FDSTORE=1\nFDNAME=journal", fd)
inherited = {"pid": os.getpid(), "names": sorted(held), "journal": journal, "environment": environment}
print(json.dumps(inherited), flush=True)
ready = selectors.DefaultSelector()
ready.register(orders, selectors.EVENT_READ)
while True:
    say("WATCHDOG=1")
    if ready.select(0.2) and orders.recv(4096).startswith(b"hand-over"):
        say("HANDOVER=1")
