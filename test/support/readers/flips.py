"""Polls a file, and prints a line of JSON for each first line of it that is another than before: flips.py FILE.

  at    seconds since the epoch, at which it was first seen
  text  the first line

Ends with its standard input.
"""

import json
import select
import sys
import time

file = sys.argv[1]
before = None
while not select.select([sys.stdin], [], [], 0.001)[0]:
    with open(file) as opened:
        text = opened.readline().rstrip("\n")
    if text != before:
        print(json.dumps({"at": time.time(), "text": text}), flush=True)
        before = text
