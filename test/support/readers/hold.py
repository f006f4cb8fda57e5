"""Holds a file open and mapped, and reads of it what it is told to: hold.py FILE. Prints `open SIZE`, then a line for each
line of its standard input:

    read OFFSET LENGTH    the SHA-256 of what pread gives, or the error's name
    map OFFSET LENGTH     the same through the mapping, in a child of its own: or the signal that ended it
    drop                  `dropped`, after asking the kernel to forget its pages of the file
"""

import errno
import hashlib
import mmap
import os
import signal
import sys

fd = os.open(sys.argv[1], os.O_RDONLY)
size = os.fstat(fd).st_size
# fuse-native has no shared mappings: a request to map then reports this error.
refused = None
try:
    mapping = mmap.mmap(fd, size, prot=mmap.PROT_READ, flags=mmap.MAP_SHARED)
except OSError as error:
    refused = error


def read(offset, length):
    parts = []
    while length > 0:
        part = os.pread(fd, min(length, 1 << 20), offset)
        if not part:
            break
        parts.append(part)
        offset += len(part)
        length -= len(part)
    return hashlib.sha256(b"".join(parts)).hexdigest()


def through_mapping(offset, length):
    if refused:
        raise refused
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, hashlib.sha256(memoryview(mapping)[offset : offset + length]).hexdigest().encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        seen = pipe.read()
    _, status = os.waitpid(child, 0)
    return signal.Signals(os.WTERMSIG(status)).name if os.WIFSIGNALED(status) else seen


print(f"open {size}", flush=True)
for line in sys.stdin:
    command, *numbers = line.split()
    try:
        if command == "drop":
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
            answer = "dropped"
        else:
            answer = (read if command == "read" else through_mapping)(*map(int, numbers))
    except OSError as error:
        answer = errno.errorcode[error.errno]
    print(answer, flush=True)
