"""Walks and reads a tree over and over until its standard input ends: storm.py ROOT [LEAST [SKIPPED [PAUSE]]]. Prints
one JSON line. A walk that finds fewer than LEAST files is a problem; the directory SKIPPED of the root is left out;
between two walks it rests for PAUSE seconds, to leave the processor to others.

Files are as versioned.py checks them. Reads are of 4,001 bytes: many a file, and never at a page's boundary.
"""

import json
import os
import select
import sys

sys.dont_write_bytecode = True
from versioned import Versions

root = sys.argv[1]
least = int(sys.argv[2]) if len(sys.argv) > 2 else 1
skipped = sys.argv[3] if len(sys.argv) > 3 else None
passes = files = 0
pause = float(sys.argv[4]) if len(sys.argv) > 4 else 0
versions = Versions(root)
problems = []


def read(path):
    fd = os.open(path, os.O_RDONLY)
    try:
        size = os.fstat(fd).st_size
        parts = []
        while chunk := os.read(fd, 4001):
            parts.append(chunk)
        return b"".join(parts), size
    finally:
        os.close(fd)


def failed(error):
    problems.append(f"walk: {error!r}")


def ended():
    return bool(select.select([sys.stdin], [], [], pause)[0])


while (passes == 0 or not ended()) and len(problems) < 20:
    seen = 0
    for directory, below, names in os.walk(root, onerror=failed):
        if directory == root and skipped in below:
            below.remove(skipped)
        for name in names:
            path = os.path.join(directory, name)
            seen += 1
            try:
                problem = versions.check(path, *read(path))
            except OSError as error:
                problem = repr(error)
            if problem is not None:
                problems.append(f"{path}: {problem}")
    files += seen
    passes += 1
    if seen < least:
        problems.append(f"a walk found {seen} files, and there are always {least}")
print(json.dumps({"passes": passes, "files": files, "versions": len(versions.seen), "problems": problems[:20]}))
