"""Prints `CONTENT MILLISECONDS` each time that a file has other content, as soon as it is seen: changes.py FILE. The
time is since the epoch.
"""

import sys
import time

last = None
while True:
    try:
        with open(sys.argv[1]) as file:
            now = file.read()
    except OSError:
        now = None
    if now != last:
        print(now, int(time.time() * 1000), flush=True)
        last = now
    time.sleep(0.002)
