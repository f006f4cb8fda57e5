"""Walks and reads a tree over and over until its standard input ends: storm.py ROOT [LEAST [SKIPPED [PAUSE]]]. Prints
one JSON line. A walk that finds fewer than LEAST files is a problem; the directory SKIPPED of the root is left out;
between two walks it rests for PAUSE seconds, to leave the processor to others.

Every file is lines of "<path> version <v> line <i> of <n>\n", so that a byte of another version, a missing tail or a
foreign file shows; a version older than one seen before of the same file is a problem too. Reads are of 4,001 bytes: many a file, and never at a page's boundary.
"""

import json
import os
import re
import select
import sys

root = sys.argv[1]
least = int(sys.argv[2]) if len(sys.argv) > 2 else 1
skipped = sys.argv[3] if len(sys.argv) > 3 else None
line = re.compile(rb"(\S+) version (\d{8}) line (\d{6}) of (\d{6})\n")
passes = files = 0
pause = float(sys.argv[4]) if len(sys.argv) > 4 else 0
versions = set()
newest = {}
problems = []


def check(path, content, size):
    lines = content.split(b"\n")
    first = line.match(content)
    if first is None:
        return f"does not begin as it should: {content[:60]!r}"
    name, version, _, count = first.groups()
    if name.decode() != os.path.relpath(path, root):
        return f"has the bytes of {name!r}"
    if len(content) != size:
        return f"version {int(version)}: {len(content)} bytes, fstat said {size}"
    if len(lines) != int(count) + 1 or lines[-1] != b"":
        return f"version {int(version)}: {len(lines) - 1} lines of {int(count)}"
    for index, text in enumerate(lines[:-1]):
        if text != b"%s version %s line %06d of %s" % (name, version, index, count):
            return f"version {int(version)}, line {index}: {text[:80]!r}"
    if version < newest.get(name, version):
        return f"went back from version {int(newest[name])} to {int(version)}"
    newest[name] = version
    versions.add((name, version))
    return None


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
                problem = check(path, *read(path))
            except OSError as error:
                problem = repr(error)
            if problem is not None:
                problems.append(f"{path}: {problem}")
    files += seen
    passes += 1
    if seen < least:
        problems.append(f"a walk found {seen} files, and there are always {least}")
print(json.dumps({"passes": passes, "files": files, "versions": len(versions), "problems": problems[:20]}))
