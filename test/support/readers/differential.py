"""Reads pieces of files at random and compares them with a local copy: differential.py ROOT COPY SEED READS. The kernel
is asked to forget what it has after each, so that the server answers. Prints the number of reads, or what differed."""

import os
import random
import sys

root, copy, seed, reads = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
chance = random.Random(seed)
names = sorted(os.listdir(copy))
for count in range(reads):
    name = chance.choice(names)
    size = os.stat(os.path.join(copy, name)).st_size
    offset = chance.randrange(size)
    length = chance.choice([1, 4096, 70_000, 3_000_000])
    pieces = []
    for directory in (copy, root):
        fd = os.open(os.path.join(directory, name), os.O_RDONLY)
        pieces.append(os.pread(fd, length, offset))
        if directory == root:
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(fd)
    expected, found = pieces
    if expected != found:
        same = next((at for at, (one, other) in enumerate(zip(expected, found)) if one != other), len(found))
        how = "short" if same == len(found) < len(expected) else "differs"
        sys.exit(f"{name} at {offset}, {len(expected)} bytes: {how} after {same} of {len(found)}")
print(f"{reads} reads")
