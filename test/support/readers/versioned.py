"""Checks files as test/support/versioned-file.ts makes them: lines of "# <path> version <v> line <i> of <n>\n"."""

import os
import re

line = re.compile(rb"# (\S+) version (\d{8}) line (\d{6}) of (\d{6})\n")


def expected(name, version, count, first, last):
    head = b"# %s version %08d line " % (name, version)
    tail = b" of %06d\n" % count
    return b"".join(b"%s%06d%s" % (head, index, tail) for index in range(first, last))


class Versions:
    """What one reader has seen of a tree. A version older than one seen before of the same file is a problem too."""

    def __init__(self, root):
        self.root = root
        self.newest = {}
        self.seen = set()

    def check(self, path, content, size, offset=0):
        """`content` begins at a line of its own, `offset` bytes into a file of `size`. Returns what is wrong, or None."""
        first = line.match(content)
        if first is None:
            return f"does not begin as it should: {content[:60]!r}"
        name, version, index, count = first[1], int(first[2]), int(first[3]), int(first[4])
        if name.decode() != os.path.relpath(path, self.root):
            return f"has the bytes of {name!r}"
        width = len(first[0])
        if size != width * count or offset != width * index:
            return f"version {version}: line {index} of {count} at {offset}, and fstat said {size}"
        if content != expected(name, version, count, index, index + len(content) // width):
            return f"version {version}: other bytes than were written"
        if offset == 0 and len(content) != size:
            return f"version {version}: {len(content)} bytes of {size}"
        if version < self.newest.get(name, version):
            return f"went back from version {self.newest[name]} to {version}"
        self.newest[name] = version
        self.seen.add((name, version))
        return None
