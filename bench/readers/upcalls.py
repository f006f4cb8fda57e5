"""Reads files of a mount without end, each after the kernel has dropped what it has of it: upcalls.py ROOT SEED. Ends with its
standard input, and prints one JSON line: how many reads there were, and [start, seconds] of each that took longer than
a millisecond; start is of CLOCK_MONOTONIC."""

import json
import os
import random
import select
import sys
import time

root, seed = sys.argv[1], int(sys.argv[2])
paths = [os.path.join(directory, name) for directory, _, names in os.walk(root) for name in names]
chance = random.Random(seed)
reads, slow = 0, []
while not select.select([sys.stdin], [], [], 0)[0]:
    start = time.monotonic()
    fd = os.open(chance.choice(paths), os.O_RDONLY)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    os.read(fd, 65536)
    os.close(fd)
    took = time.monotonic() - start
    reads += 1
    if took > 0.001:
        slow.append([start, took])
print(json.dumps({"reads": reads, "slow": slow}))
