"""Prints when the first byte of PATH could be read, in seconds since the epoch: first-byte.py PATH."""

import sys
import time

while True:
    try:
        with open(sys.argv[1], "rb") as file:
            file.read(1)
        print(time.time())
        break
    except OSError:
        time.sleep(0.001)
