"""Walks and reads a tree once: walk.py ROOT [os|open]. Prints one JSON line: how many files and bytes were seen.

os: os.open, os.read of 64 KiB, os.close, which no FUSE request but LOOKUP, READDIRPLUS and READ serves.
open: the built-in open(), whose isatty ioctl reaches the daemon for each file, up to Python 3.13.
"""

import json
import os
import sys

root, how = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "os"
files = directories = total = 0


def failed(error):
    raise error


for directory, _, names in os.walk(root, onerror=failed):
    directories += 1
    for name in names:
        path = os.path.join(directory, name)
        size = os.stat(path).st_size
        if how == "open":
            with open(path, "rb") as file:
                count = len(file.read())
        else:
            count = 0
            fd = os.open(path, os.O_RDONLY)
            while chunk := os.read(fd, 65536):
                count += len(chunk)
            os.close(fd)
        if count != size:
            raise SystemExit(f"{path}: {count} bytes were read, its size is {size}")
        files += 1
        total += count
print(json.dumps({"files": files, "directories": directories, "bytes": total}))
