"""Reads a whole tree in a loop until told to stop, and prints a line a pass.

usage: scan.py ROOT FILES [PAUSE]    rests for PAUSE seconds between two passes; ends with its standard input; a pass that does not find FILES files ends it with 1
"""
import os
import sys
import threading

root, files = sys.argv[1], int(sys.argv[2])
pause = float(sys.argv[3]) if len(sys.argv) > 3 else 0
stop = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()


def raise_error(error):
    raise error


passes = 0
while not stop.is_set():
    found = 0
    for directory, _, names in os.walk(root, onerror=raise_error):
        for name in names:
            path = os.path.join(directory, name)
            size = os.stat(path).st_size
            with open(path, "rb") as file:
                read = len(file.read())
            if read != size:
                sys.exit(f"{path}: {read} of {size} bytes")
            found += 1
    if found < files:
        sys.exit(f"{found} files of {files}")
    passes += 1
    print(passes, found, flush=True)
    stop.wait(pause)
