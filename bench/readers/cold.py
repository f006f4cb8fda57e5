"""Waits for a mount, walks it, then reads it: cold.py ROOT. Prints when each was done, in seconds since the epoch."""

import json
import os
import sys
import time

root = sys.argv[1]


def is_mounted():
    with open("/proc/self/mountinfo") as mounts:
        return any(line.split(" ")[4] == root for line in mounts)


while not is_mounted():
    time.sleep(0.002)
mounted = time.time()
paths = []
for directory, _, names in os.walk(root):
    for name in names:
        path = os.path.join(directory, name)
        os.stat(path)
        paths.append(path)
walked = time.time()
total = 0
for path in paths:
    fd = os.open(path, os.O_RDONLY)
    while chunk := os.read(fd, 65536):
        total += len(chunk)
    os.close(fd)
read = time.time()
print(json.dumps({"mounted": mounted, "walked": walked, "read": read, "files": len(paths), "bytes": total}))
