"""Reads one file from its start to its end: sequential.py FILE. Prints its seconds and bytes, and each read's longest."""

import json
import os
import sys
import time

buffer = bytearray(1 << 20)
view = memoryview(buffer)
fd = os.open(sys.argv[1], os.O_RDONLY)
total = 0
longest = 0.0
start = last = time.monotonic()
while got := os.readv(fd, [view]):
    total += got
    now = time.monotonic()
    longest = max(longest, now - last)
    last = now
print(json.dumps({"seconds": last - start, "bytes": total, "longest": longest}))
