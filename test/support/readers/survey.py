"""Looks at a whole tree each time it is asked: survey.py ROOT. A request is a line of JSON on standard input, the answer
a line of JSON on standard output:

  {"misses": [path, ...]}
  {"entries": [[path, kind, size, mtime, mode, nlink, sha256 or null], ...], "misses": [errno name, ...], "errors": []}

Paths are hexadecimal: they may be no text. Everything is opened relative to its directory, for a path may be longer
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


def walk(fd, path, entries, errors):
    found = os.fstat(fd)
    entries.append([path.hex(), "directory", found.st_size, str(found.st_mtime_ns), found.st_mode & 0o7777, found.st_nlink, None])
    with os.scandir(fd) as listing:
        children = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in listing]
    for text, listed_as_directory in children:
        name = os.fsencode(text)
        below = path + b"/" + name if path else name
        found = os.stat(name, dir_fd=fd, follow_symlinks=False)
        kind = kind_of(found.st_mode)
        if (kind == "directory") != listed_as_directory:
            errors.append(f"{below!r} is a {kind}, and was listed otherwise")
        if kind == "directory":
            inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY, dir_fd=fd)
            try:
                walk(inner, below, entries, errors)
            finally:
                os.close(inner)
        else:
            digest = content(name, fd)
            entries.append([below.hex(), kind, found.st_size, str(found.st_mtime_ns), found.st_mode & 0o7777, found.st_nlink, digest])


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


for line in sys.stdin:
    request = json.loads(line)
    entries, errors = [], []
    fd = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        walk(fd, b"", entries, errors)
    except OSError as error:
        errors.append(repr(error))
    finally:
        os.close(fd)
    misses = [miss(bytes.fromhex(path)) for path in request["misses"]]
    print(json.dumps({"entries": entries, "misses": misses, "errors": errors}), flush=True)
