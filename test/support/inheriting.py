"""Runs a server as a supervisor does that inherited a mount from systemd or the holder: inheriting.py COMMAND...
The connection is a placeholder, as the one of a server with fuse-native. Prints a JSON list of the server's messages
once the server has ended."""

import json
import os
import socket
import subprocess
import sys

ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
orders, their_orders = socket.socketpair()
fds = [theirs.fileno(), their_orders.fileno(), *(os.open("/dev/null", os.O_RDONLY) for _ in range(2))]
link = "{} 1 orders={} fuse={} own-mount={}".format(*fds)
server = subprocess.Popen(sys.argv[1:], env={**os.environ, "DAGMOUNT_SUPERVISOR": link}, pass_fds=fds)
theirs.close()
their_orders.close()
messages = []
while True:
    text, received, *_ = socket.recv_fds(ours, 8192, 8)
    for fd in received:
        os.close(fd)
    if text == b"":
        break
    messages.append(text.decode())
server.wait()
print(json.dumps(messages))
