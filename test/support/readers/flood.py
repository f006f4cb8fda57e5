"""Floods an HTTP port of this host as another user: flood.py PORT UID SECONDS. Each of its threads opens one connection after
the other, sends as many requests as the connection takes without being read, and reads what comes until the end. Prints
JSON: `connections` that were answered, `most` answers of one, how many different `bodies` there were, and `seconds`."""

import encodings.idna  # imported here, while this process may still read it
import hashlib
import json
import os
import socket
import sys
import threading
import time

port, uid, seconds = map(int, sys.argv[1:])
os.setgroups([])
os.setresgid(uid, uid, uid)
os.setresuid(uid, uid, uid)
THREADS = 16
REQUESTS = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 500
began = time.monotonic()
lock = threading.Lock()
seen = {"connections": 0, "most": 0}
bodies = set()


def once():
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.setblocking(False)
        for _ in range(50):
            try:
                connection.send(REQUESTS)
            except BlockingIOError:
                break
        connection.settimeout(30)
        answer = b""
        try:
            while part := connection.recv(1 << 16):
                answer += part
        except ConnectionError:
            pass  # the server closed the connection with requests unread
    with lock:
        count = answer.count(b"HTTP/1.1 200 ")
        seen["connections"] += count > 0
        seen["most"] = max(seen["most"], count)
        if count > 0:
            bodies.add(hashlib.sha256(answer.partition(b"\r\n\r\n")[2]).digest())


def flood():
    while time.monotonic() - began < seconds:
        try:
            once()
        except OSError:
            pass


threads = [threading.Thread(target=flood) for _ in range(THREADS)]
for thread in threads:
    thread.start()
print("flooding", flush=True)
for thread in threads:
    thread.join()
print(json.dumps({**seen, "bodies": len(bodies), "seconds": time.monotonic() - began}), flush=True)
