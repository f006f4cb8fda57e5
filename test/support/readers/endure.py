"""Reads a tree in every way there is while its server is killed: endure.py ROOT SEED. Ends with its standard input,
and prints one JSON line:

  operations  how many of each kind were made
  problems    errors, and bytes that are not what they should be
  slow        [start, seconds, name] of each single call that took longer than 5 ms; start is of CLOCK_MONOTONIC

Files are as versioned.py checks them. Names in coming/ come and go, so that one of them may be missing;
files in large/ never change, and are read piece by piece after what the kernel has of them was dropped.
"""

import collections
import faulthandler
import importlib.machinery
import importlib.util
import json
import mmap
import os
import random
import select
import sys
import time

sys.dont_write_bytecode = True
from versioned import Versions

root, seed = sys.argv[1], int(sys.argv[2])
SLOW = 0.005
PIECE = 50_000
faulthandler.enable()
chance = random.Random(seed)
operations, problems, slow = collections.Counter(), [], []
versions = Versions(root)


def timed(call, *arguments):
    start = time.monotonic()
    try:
        return call(*arguments)
    finally:
        took = time.monotonic() - start
        if took > SLOW:
            slow.append([round(start, 4), round(took, 4), call.__name__])


def by_read(path):
    fd = timed(os.open, path, os.O_RDONLY)
    try:
        parts = []
        while chunk := timed(os.read, fd, 4001):
            parts.append(chunk)
        return versions.check(path, b"".join(parts), os.fstat(fd).st_size)
    finally:
        os.close(fd)


def by_map(path):
    fd = timed(os.open, path, os.O_RDONLY)
    try:
        size = os.fstat(fd).st_size
        with mmap.mmap(fd, size, prot=mmap.PROT_READ) as mapped:
            return versions.check(path, timed(bytes, mapped), size)
    finally:
        os.close(fd)


class Loader(importlib.machinery.SourceFileLoader):
    def get_data(self, path):
        self.content = timed(super().get_data, path)
        return self.content


def by_import(path):
    loader = Loader("outlived", path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_file_location("outlived", path, loader=loader))
    timed(loader.exec_module, module)
    return versions.check(path, loader.content, len(loader.content))


def by_pieces(path):
    fd = timed(os.open, path, os.O_RDONLY)
    try:
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        size = timed(os.fstat, fd).st_size
        width = len(timed(os.pread, fd, 200, 0).split(b"\n", 1)[0]) + 1
        offset = chance.randrange(size // width) * width
        content = timed(os.pread, fd, PIECE // width * width, offset)
        return versions.check(path, content, size, offset) if offset > 0 or len(content) == size else None
    finally:
        os.close(fd)


def report(path, problem):
    if problem is not None:
        problems.append(f"{path}: {problem}")


def look_at(path, way, may_be_missing):
    operations[way.__name__] += 1
    try:
        timed(os.stat, path)
        report(path, way(path))
    except FileNotFoundError as error:
        if not may_be_missing:
            report(path, repr(error))
    except (OSError, ImportError) as error:
        report(path, repr(error))


def look_for_missing(directory):
    operations["missing"] += 1
    name = os.path.join(directory, f"missing-{os.getpid()}-{operations['missing']}")
    for call in (os.stat, os.listdir):
        try:
            timed(call, name)
            problems.append(f"{name} is there")
        except FileNotFoundError:
            pass
        except OSError as error:
            report(name, repr(error))


def list_directory(path):
    operations["list"] += 1
    try:
        with timed(os.scandir, path) as entries:
            return timed(list, entries)
    except OSError as error:
        report(path, repr(error))
        return []


def walk():
    operations["walk"] += 1
    for directory, _, names in os.walk(root, onerror=lambda error: report("walk", repr(error))):
        for name in names:
            path = os.path.join(directory, name)
            try:
                timed(os.stat, path)
            except FileNotFoundError as error:
                if os.path.basename(directory) != "coming":
                    report(path, repr(error))
            except OSError as error:
                report(path, repr(error))


def ended():
    return bool(select.select([sys.stdin], [], [], 0)[0])


directories = [entry.path for entry in list_directory(root) if entry.is_dir()]
while not ended() and len(problems) < 20:
    directory = chance.choice(directories)
    entries = list_directory(directory)
    if os.path.basename(directory) == "large":
        for entry in chance.sample(entries, min(2, len(entries))):
            look_at(entry.path, by_pieces, False)
        continue
    coming = os.path.basename(directory) == "coming"
    for entry in chance.sample(entries, min(20, len(entries))):
        look_at(entry.path, chance.choice((by_read, by_map, by_import)), coming)
    look_for_missing(directory)
    if chance.random() < 0.01:
        walk()
print(json.dumps({"operations": operations, "problems": problems[:20], "slow": slow}))
