"""Looks paths up one after another until its standard input ends: pause.py ROOT DIRECTORIES. Each look is a listing of one
directory below ROOT and a stat of each name in it, DIRECTORIES of them by turns. Prints the longest of these calls in
milliseconds, how many there were, and the median."""

import json
import os
import select
import statistics
import sys
import time

root, most = sys.argv[1], int(sys.argv[2])
directories = sorted(entry.path for entry in os.scandir(root) if entry.is_dir())[:most]
took = []
at = 0
while not select.select([sys.stdin], [], [], 0)[0]:
    directory = directories[at % len(directories)]
    at += 1
    start = time.perf_counter()
    names = os.listdir(directory)
    took.append(time.perf_counter() - start)
    for name in names:
        start = time.perf_counter()
        try:
            os.stat(os.path.join(directory, name))
        except FileNotFoundError:
            pass
        took.append(time.perf_counter() - start)
print(json.dumps({"longest": 1000 * max(took), "calls": len(took), "median": 1000 * statistics.median(took)}))
