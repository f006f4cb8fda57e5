"""Times scans of a tree: pass.py ROOT SCANS.  Prints one JSON list of seconds; the first scan is not counted.

A scan is os.walk, os.stat of each file, and os.open, os.read of 64 KiB until it is empty, os.close.
"""

import gc
import json
import os
import sys
import time

BUFFER = 65536


def scan(root):
    start = time.perf_counter()
    for directory, _, names in os.walk(root):
        for name in names:
            path = os.path.join(directory, name)
            os.stat(path)
            fd = os.open(path, os.O_RDONLY)
            while os.read(fd, BUFFER):
                pass
            os.close(fd)
    return time.perf_counter() - start


root, scans = sys.argv[1], int(sys.argv[2])
gc.disable()
print(json.dumps([scan(root) for _ in range(scans + 1)][1:]))
