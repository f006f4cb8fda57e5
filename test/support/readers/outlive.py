"""Reads a tree in every way there is while its server is killed: outlive.py ROOT. Ends with its standard input and
prints one JSON line: {"passes", "problems": [...], "longest": seconds}.

Every file is lines of "# <path> version <v> line <i> of <n>\n": a byte of another version shows, and a version older
than one seen before of the same file is a problem too. `longest` is the longest single call.
"""

import json
import mmap
import os
import re
import select
import sys
import time

root = sys.argv[1]
line = re.compile(rb"# (\S+) version (\d{8}) line (\d{6}) of (\d{6})\n")
problems, newest, longest, passes = [], {}, 0.0, 0


def timed(call, *arguments):
    global longest
    start = time.monotonic()
    try:
        return call(*arguments)
    finally:
        longest = max(longest, time.monotonic() - start)


def check(path, content, size):
    first = line.match(content)
    if first is None:
        return f"does not begin as it should: {content[:60]!r}"
    name, version, _, count = first.groups()
    if name.decode() != os.path.relpath(path, root):
        return f"has the bytes of {name!r}"
    if len(content) != size:
        return f"version {int(version)}: {len(content)} bytes, fstat said {size}"
    want = b"".join(b"# %s version %s line %06d of %s\n" % (name, version, index, count) for index in range(int(count)))
    if content != want:
        return f"version {int(version)}: other bytes than were written"
    if version < newest.get(name, version):
        return f"went back from version {int(newest[name])} to {int(version)}"
    newest[name] = version
    return None


def by_read(path):
    fd = timed(os.open, path, os.O_RDONLY)
    try:
        size = os.fstat(fd).st_size
        parts = []
        while chunk := timed(os.read, fd, 4001):
            parts.append(chunk)
        return b"".join(parts), size
    finally:
        os.close(fd)


def by_map(path):
    fd = timed(os.open, path, os.O_RDONLY)
    try:
        size = os.fstat(fd).st_size
        with mmap.mmap(fd, size, prot=mmap.PROT_READ) as mapped:
            return timed(bytes, mapped), size
    finally:
        os.close(fd)


def by_import(path):
    with open(path, "rb") as file:
        content = timed(file.read)
        size = os.fstat(file.fileno()).st_size
    exec(compile(content, path, "exec"), {})
    return content, size


ways = [by_read, by_map, by_import]
while not select.select([sys.stdin], [], [], 0)[0] and len(problems) < 20:
    for directory, _, names in os.walk(root, onerror=lambda error: problems.append(f"walk: {error!r}")):
        for name in names:
            path = os.path.join(directory, name)
            try:
                timed(os.stat, path)
                problem = check(path, *ways[(passes + len(name)) % len(ways)](path))
            except OSError as error:
                problem = repr(error)
            if problem is not None:
                problems.append(f"{path}: {problem}")
        # A name that nobody has ever asked for.
        try:
            timed(os.stat, os.path.join(directory, f"missing-{os.getpid()}-{passes}"))
            problems.append("a missing name is there")
        except FileNotFoundError:
            pass
        except OSError as error:
            problems.append(f"a missing name: {error!r}")
    passes += 1
print(json.dumps({"passes": passes, "problems": problems[:20], "longest": longest}))
