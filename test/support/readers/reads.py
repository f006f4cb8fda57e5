"""Reads files of a tree again and again: reads.py ROOT.  On each line of standard input it prints the milliseconds
that 99 of 100 reads since the line before took at most, and goes on. What the kernel has of a file is dropped
before it is read, so that each read asks the daemon.
"""

import json
import os
import select
import sys
import time

paths = [
    os.path.join(directory, name) for directory, _, names in os.walk(sys.argv[1]) for name in sorted(names)
]
times = []
while True:
    for path in paths:
        start = time.perf_counter()
        fd = os.open(path, os.O_RDONLY)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        os.read(fd, 65536)
        os.close(fd)
        times.append(round(1000 * (time.perf_counter() - start), 4))
        if select.select([sys.stdin], [], [], 0)[0]:
            if sys.stdin.readline() == "":
                sys.exit()
            times.sort()
            print(json.dumps(times[int(0.99 * (len(times) - 1))]), flush=True)
            times = []
