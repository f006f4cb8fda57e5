"""Looks at a whole tree each time it is asked: survey.py ROOT. A request is a line of JSON on standard input, the answer
a line of JSON on standard output:

  {"misses": [path, ...]}
  {"answer": 1, "entries": [[depth, name, kind, size, mtime, mode, nlink, sha256 or null], ...],
   "misses": [errno name, ...], "errors": []}

The entries of a directory follow it, one deeper; answers are numbered. Names and paths are hexadecimal: they may be no
text. Everything is opened relative to its directory, for a path may be longer
than a system call takes.
"""

import errno
import hashlib
import json
import os
import resource
import stat
import sys

root = sys.argv[1]
_, most = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 65536), most))
sys.setrecursionlimit(10_000)


def kind_of(mode):
    return "directory" if stat.S_ISDIR(mode) else "file" if stat.S_ISREG(mode) else "other"


def content(name, directory):
    fd = os.open(name, os.O_RDONLY, dir_fd=directory)
    try:
        digest = hashlib.sha256()
        while chunk := os.read(fd, 65536):
            digest.update(chunk)
        return digest.hexdigest()
    finally:
        os.close(fd)


def told(depth, name, found, digest):
    kind = kind_of(found.st_mode)
    return [depth, name.hex(), kind, found.st_size, str(found.st_mtime_ns), found.st_mode & 0o7777, found.st_nlink, digest]


def walk(fd, depth, name, entries, errors):
    entries.append(told(depth, name, os.fstat(fd), None))
    with os.scandir(fd) as listing:
        children = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in listing]
    for text, listed_as_directory in children:
        child = os.fsencode(text)
        found = os.stat(child, dir_fd=fd, follow_symlinks=False)
        is_directory = stat.S_ISDIR(found.st_mode)
        if is_directory != listed_as_directory:
            errors.append(f"{child!r} is a {kind_of(found.st_mode)}, and was listed otherwise")
        if is_directory:
            inner = os.open(child, os.O_RDONLY | os.O_DIRECTORY, dir_fd=fd)
            try:
                walk(inner, depth + 1, child, entries, errors)
            finally:
                os.close(inner)
        else:
            entries.append(told(depth + 1, child, found, content(child, fd)))


def miss(path):
    """What stat and open say of a path, component by component; both must say the same."""
    said = []
    for look in (lambda name, fd: os.stat(name, dir_fd=fd), lambda name, fd: os.close(os.open(name, os.O_RDONLY, dir_fd=fd))):
        *parents, last = path.split(b"/")
        fd = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            for parent in parents:
                inner = os.open(parent, os.O_RDONLY | os.O_DIRECTORY, dir_fd=fd)
                os.close(fd)
                fd = inner
            look(last, fd)
            said.append("found")
        except OSError as error:
            said.append(errno.errorcode[error.errno])
        finally:
            os.close(fd)
    return said[0] if said[0] == said[1] else "/".join(said)


for answer, line in enumerate(sys.stdin, start=1):
    request = json.loads(line)
    entries, errors = [], []
    fd = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        walk(fd, 0, b"", entries, errors)
    except OSError as error:
        errors.append(repr(error))
    finally:
        os.close(fd)
    misses = [miss(bytes.fromhex(path)) for path in request["misses"]]
    print(json.dumps({"answer": answer, "entries": entries, "misses": misses, "errors": errors}), flush=True)
