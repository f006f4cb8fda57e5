"""Makes threads of a process stand still, as in a deadlock, until they are killed: freeze.py PID main|others. Ends with the
process, or with its standard input."""

import ctypes
import os
import select
import sys

SEIZE, INTERRUPT = 0x4206, 0x4207
pid, which = int(sys.argv[1]), sys.argv[2]
libc = ctypes.CDLL(None, use_errno=True)


def ptrace(request, thread):
    if libc.ptrace(request, thread, None, None) != 0:
        raise OSError(ctypes.get_errno(), f"ptrace {request:#x} of {thread}")


for thread in sorted(map(int, os.listdir(f"/proc/{pid}/task"))):
    if (thread == pid) == (which == "main"):
        ptrace(SEIZE, thread)
        ptrace(INTERRUPT, thread)
print("frozen", flush=True)
while not select.select([sys.stdin], [], [], 0.1)[0]:
    with open(f"/proc/{pid}/stat") as stat:
        if stat.read().rpartition(")")[2].split()[0] in "ZX":
            break
    try:
        # A killed thread is gone only after its tracer has waited for it.
        os.waitpid(-1, os.WNOHANG | 0x40000000)
    except ChildProcessError:
        break
