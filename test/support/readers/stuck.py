"""Lists a directory into a page that never comes: stuck.py DIRECTORY. The kernel holds the directory's lock until this
process is killed, its standard input ends, or `let go` comes on it. Prints `stuck` once the page is waited for, and at the end how
many bytes the listing had. Needs root: who may not handle faults of the kernel may not register such a page."""

import ctypes
import fcntl
import mmap
import os
import platform
import struct
import sys
import threading

USERFAULTFD, GETDENTS64 = {"x86_64": (323, 217), "aarch64": (282, 61)}[platform.machine()]
# Constants of linux/userfaultfd.h.
UFFDIO_API, UFFDIO_REGISTER, UFFDIO_ZEROPAGE = 0xC018AA3F, 0xC020AA00, 0xC020AA04
API, MODE_MISSING = 0xAA, 1
PAGE = mmap.PAGESIZE

libc = ctypes.CDLL(None, use_errno=True)
faults = libc.syscall(USERFAULTFD, os.O_CLOEXEC)
if faults < 0:
    raise OSError(ctypes.get_errno(), "userfaultfd")
fcntl.ioctl(faults, UFFDIO_API, struct.pack("QQQ", API, 0, 0))
memory = mmap.mmap(-1, PAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
fcntl.ioctl(faults, UFFDIO_REGISTER, struct.pack("QQQQ", address, PAGE, MODE_MISSING, 0))

directory = os.open(sys.argv[1], os.O_RDONLY | os.O_DIRECTORY)


def supply():
    os.read(faults, 32)
    print("stuck", flush=True)
    for line in sys.stdin:
        if line.strip() == "let go":
            fcntl.ioctl(faults, UFFDIO_ZEROPAGE, bytearray(struct.pack("QQQq", address, PAGE, 0, 0)))
            return
    # The process that started this one has ended: the lock must not outlive it.
    os._exit(1)


threading.Thread(target=supply, daemon=True).start()
print(libc.syscall(GETDENTS64, directory, ctypes.c_void_p(address), PAGE), flush=True)
