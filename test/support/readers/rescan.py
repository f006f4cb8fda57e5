"""Walks a tree and reads all of it again and again: rescan.py ROOT [PAUSE [dropped]]. Rests for PAUSE seconds after each
walk; `dropped`: what the kernel has of a file is dropped before it is read. Ends with its standard input and prints one
JSON line: {"walks", "problems": [...]}. A file may go between its listing and its opening; any other error is a problem.
"""

import json
import os
import select
import sys

walks, problems = 0, []
pause = float(sys.argv[2]) if len(sys.argv) > 2 else 0
is_dropped = sys.argv[3:] == ["dropped"]


def note(error):
    if not isinstance(error, FileNotFoundError):
        problems.append(repr(error))


while not select.select([0], [], [], pause)[0]:
    for folder, _, names in os.walk(sys.argv[1], onerror=note):
        for name in names:
            try:
                with open(os.path.join(folder, name), "rb") as file:
                    if is_dropped:
                        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
                    if not file.read().startswith(b"print("):
                        problems.append(f"{name} holds something else")
            except OSError as error:
                note(error)
    walks += 1
print(json.dumps({"walks": walks, "problems": problems[:20]}))
