"""Lists a directory over and over until its standard input ends: never-bare.py DIRECTORY. Prints one JSON line: how often
which errno was met, how often names were there, and how often the directory was empty.
"""

import collections
import errno
import json
import os
import select
import sys

seen = collections.Counter()
while not select.select([sys.stdin], [], [], 0.001)[0]:
    try:
        seen["names" if os.listdir(sys.argv[1]) else "bare"] += 1
    except OSError as error:
        seen[errno.errorcode[error.errno]] += 1
print(json.dumps(seen))
