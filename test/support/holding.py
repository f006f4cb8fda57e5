"""A client of a holder, for tests: the messages are in docs/takeover.md."""

import os
import socket
import time


def connect(path):
    client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    # Set the timeout after connect(): with a timeout, connect() fails if the holder's queue is full.
    client.connect(path)
    client.settimeout(60)
    return client


def receive(client):
    """A message and its descriptors; None if the holder has closed the connection."""
    try:
        text, fds, _, _ = socket.recv_fds(client, 4096, 8)
    except ConnectionResetError:
        return None
    return (text.decode(), fds) if text else None


def greet(client, key):
    client.send(f"HOLD=1\nKEY={key}".encode())


def attach(path, key):
    """Returns the connection, and what is held by name; or None and the words of the refusal."""
    client = connect(path)
    greet(client, key)
    held = {}
    while True:
        message = receive(client)
        if message is None:
            return None, "closed"
        text, fds = message
        if text == "READY=1":
            return client, held
        if not text.startswith("FDSTORE=1\nFDNAME="):
            return None, text
        held[text.split("=")[-1]] = fds[0]


def attached(path, key):
    """As attach, once the client before is gone."""
    while True:
        client, held = attach(path, key)
        if client is not None:
            return client, held
        assert held == "REFUSED=busy", held
        time.sleep(0.02)


def store(client, name, *fds):
    socket.send_fds(client, [f"FDSTORE=1\nFDNAME={name}".encode()], fds)


def remove(client, name):
    client.send(f"FDSTOREREMOVE=1\nFDNAME={name}".encode())


def synchronise(path):
    """Returns once the holder has read what was sent before."""
    client, _ = attached(path, "f" * 64)
    client.close()


def memory(text):
    fd = os.memfd_create("test")
    os.write(fd, text.encode())
    return fd


def content(fd):
    return os.pread(fd, 100, 0).decode()


def is_closed(client):
    while True:
        message = receive(client)
        if message is None:
            return True
