"""Tries to change a tree in every way there is: mutations.py ROOT FILE DIRECTORY. Prints {attempt: errno name}."""

import errno
import json
import os
import sys

root, file, directory = sys.argv[1:4]
path = os.path.join(root, file)
new = os.path.join(root, "new-name")
folder = os.path.join(root, directory)
attempts = {
    "open for writing": lambda: os.open(path, os.O_WRONLY),
    "open for reading and writing": lambda: os.open(path, os.O_RDWR),
    "open for appending": lambda: os.open(path, os.O_WRONLY | os.O_APPEND),
    "open with truncation": lambda: os.open(path, os.O_WRONLY | os.O_TRUNC),
    "create": lambda: os.open(new, os.O_WRONLY | os.O_CREAT),
    "create exclusively": lambda: os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL),
    "create in a directory": lambda: os.open(os.path.join(folder, "x"), os.O_WRONLY | os.O_CREAT),
    "create an unnamed file": lambda: os.open(root, os.O_WRONLY | os.O_TMPFILE),
    "mknod": lambda: os.mknod(new),
    "mkfifo": lambda: os.mkfifo(new),
    "mkdir": lambda: os.mkdir(new),
    "rmdir": lambda: os.rmdir(folder),
    "unlink": lambda: os.unlink(path),
    "rename": lambda: os.rename(path, new),
    "rename a directory": lambda: os.rename(folder, new),
    "replace": lambda: os.replace(path, new),
    "link": lambda: os.link(path, new),
    "symlink": lambda: os.symlink("somewhere", new),
    "truncate": lambda: os.truncate(path, 0),
    "chmod": lambda: os.chmod(path, 0o600),
    "chmod a directory": lambda: os.chmod(folder, 0o700),
    "chown": lambda: os.chown(path, 1, 1),
    "utime": lambda: os.utime(path),
    "utime of a directory": lambda: os.utime(folder, (1, 1)),
    "setxattr": lambda: os.setxattr(path, "user.x", b"1"),
    "removexattr": lambda: os.removexattr(path, "user.dagmount.key"),
}
results = {}
for name, attempt in attempts.items():
    try:
        attempt()
        results[name] = "done"
    except OSError as error:
        results[name] = errno.errorcode.get(error.errno, str(error.errno))
print(json.dumps(results))
