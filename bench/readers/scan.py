"""Times scans of several trees, alternating: scan.py RUNS ROOT...  Prints one JSON line.

Each run scans every tree in each way, the trees in turn and in turned order, so that what else the machine does hits
all alike. The first scan of a tree in a way is not counted. Ways:

walk   os.walk and os.stat of each file
os     the same, and os.open, os.read of 64 KiB until it is empty, os.close
open   the same with open(path, "rb") and read(65536): up to Python 3.13 an isatty ioctl a file, which an explicit
       buffering would leave out

Buffers are of 64 KiB: one of 1 MiB a read hides the difference behind malloc.
"""

import gc
import json
import os
import sys
import time

BUFFER = 65536


def walk(root):
    return [
        path
        for directory, _, names in os.walk(root)
        for path in (os.path.join(directory, name) for name in names)
        if os.stat(path).st_size >= 0
    ]


def read_os(path):
    fd = os.open(path, os.O_RDONLY)
    while os.read(fd, BUFFER):
        pass
    os.close(fd)


def read_open(path):
    with open(path, "rb") as file:
        while file.read(BUFFER):
            pass


def scan(root, way):
    start = time.perf_counter()
    paths = walk(root)
    if way == "os":
        for path in paths:
            read_os(path)
    elif way == "open":
        for path in paths:
            read_open(path)
    return time.perf_counter() - start, len(paths)


runs, roots = int(sys.argv[1]), sys.argv[2:]
ways = ["walk", "os", "open"]
times = {root: {way: [] for way in ways} for root in roots}
files = {}
gc.disable()
for run in range(runs + 1):
    for way in ways:
        for root in roots if run % 2 == 0 else reversed(roots):
            seconds, files[root] = scan(root, way)
            if run > 0:
                times[root][way].append(seconds)
    gc.collect()
print(json.dumps({"times": [times[root] for root in roots], "files": [files[root] for root in roots]}))
