"""Reads files of a mount without end, each after the kernel has dropped what it has of it: upcalls.py ROOT SEED. Ends with its
standard input, and prints one JSON line: how many reads there were, and [start, seconds] of each call, open(2) or read(2),
that took longer than a millisecond; start is of CLOCK_MONOTONIC. posix_fadvise(2) does not count: it asks the server
nothing, and was seen to wait for 0.1 to 0.7 s for the kernel's own threads, without a kill."""

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


def timed(call, *arguments):
    start = time.monotonic()
    result = call(*arguments)
    took = time.monotonic() - start
    if took > 0.001:
        slow.append([start, took])
    return result


while not select.select([sys.stdin], [], [], 0)[0]:
    fd = timed(os.open, chance.choice(paths), os.O_RDONLY)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    timed(os.read, fd, 65536)
    os.close(fd)
    reads += 1
print(json.dumps({"reads": reads, "slow": slow}))
