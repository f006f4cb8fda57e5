"""Walks, reads and imports a tree of modules over and over until its standard input ends: importing.py ROOT PACKAGE REST [sizes-by-path].

Each file of ROOT/PACKAGE is lines of "# <module> version <v> of <n> lines", then the code that imports others of the
package and keeps VERSION; so a byte of another version shows. Prints one JSON line:

  passes      walks that were made
  proven      those before and after which the root's user.dagmount.generation was the same, and no publication under way
  generations how many of those values there were
  versions    of all files that were read
  mixed       walks and imports that were proven, and saw more than one version
  problems    errors, and files that were not whole

It rests for REST seconds between one look and the next. With sizes-by-path, fstat of an open file is known to show what is at its path by then, as it does with fuse-native: another
size than that of the bytes is a problem only in a walk that was proven.
"""

import importlib
import json
import os
import re
import select
import sys

root, package = sys.argv[1], sys.argv[2]
rest = float(sys.argv[3])
sizes_by_path = sys.argv[4:] == ["sizes-by-path"]
sys.dont_write_bytecode = True
sys.path.insert(0, root)
sys.setrecursionlimit(20_000)
first = re.compile(rb"# (\S+) version (\d+) of (\d+) lines\n")
# The errors that a walk or an import may get while a publication removes what it has just found.
OVERTAKEN = (ImportError, FileNotFoundError, NotADirectoryError, IsADirectoryError)
passes = proven = 0
generations, versions = set(), set()
mixed, problems = [], []
# The wrong sizes that the present walk has found.
odd_sizes = []


def generation():
    return os.getxattr(root, "user.dagmount.generation").decode()


def version_of(path, content, size):
    match = first.match(content)
    if match is None:
        raise ValueError(f"{path} begins with {content[:60]!r}")
    name, version, count = match.groups()
    lines = content.split(b"\n")
    if os.path.basename(path) != name.decode() + ".py":
        raise ValueError(f"{path} has the bytes of {name!r}")
    amount = f"{path}: {len(content)} bytes of {size}, {len(lines) - 1} lines of {int(count)}"
    if len(lines) != int(count) + 1 or lines[-1] != b"":
        raise ValueError(amount)
    if len(content) != size:
        odd_sizes.append(amount)
    head = match.group(0)[:-1]
    if any(line != head for line in lines[:-1] if line.startswith(b"#")):
        raise ValueError(f"{path} has lines of two versions")
    return int(version)


def read(path):
    fd = os.open(path, os.O_RDONLY)
    try:
        size = os.fstat(fd).st_size
        parts = []
        while chunk := os.read(fd, 777):
            parts.append(chunk)
        return b"".join(parts), size
    finally:
        os.close(fd)


def fail(error):
    raise error


def walk():
    found = {}
    odd_sizes.clear()
    for directory, _, names in os.walk(os.path.join(root, package), onerror=fail):
        for name in names:
            path = os.path.join(directory, name)
            try:
                found[os.path.relpath(path, root)] = version_of(path, *read(path))
            except FileNotFoundError:
                # Removed since the listing of its directory: that is right, unless the generation stayed the same.
                found[os.path.relpath(path, root)] = None
            except ValueError as error:
                problems.append(str(error))
    return found


def imported():
    for name in [name for name in sys.modules if name == package or name.startswith(package + ".")]:
        del sys.modules[name]
    importlib.invalidate_caches()
    sys.path_importer_cache.clear()
    module = importlib.import_module(f"{package}.m0000")
    return {sys.modules[name].VERSION for name in sys.modules if name.startswith(package + ".m")} | {module.VERSION}


def attempt(what, look):
    """Runs it between two looks at the generation; returns what was seen and whether it is of one generation."""
    before = generation()
    try:
        seen = look()
    except (ImportError, OSError, SyntaxError, AttributeError) as error:
        seen = error
    after = generation()
    one = before == after and before != "changing"
    if isinstance(seen, Exception) and (one or not isinstance(seen, OVERTAKEN)):
        problems.append(f"{what}: {seen!r}")
        one = False
    if one:
        generations.add(before)
    return seen, one


while not select.select([sys.stdin], [], [], rest)[0] and len(problems) < 20:
    seen, one = attempt("walk", walk)
    passes += 1
    proven += one
    if one or not sizes_by_path:
        problems.extend(odd_sizes)
    if not isinstance(seen, Exception):
        versions |= set(seen.values()) - {None}
        if one and len(set(seen.values())) != 1:
            mixed.append(f"a walk: {sorted(map(str, set(seen.values())))}")
    seen, one = attempt("import", imported)
    if one and len(seen) != 1:
        mixed.append(f"an import: {sorted(seen)}")

print(
    json.dumps(
        {
            "passes": passes,
            "proven": proven,
            "generations": len(generations),
            "versions": sorted(versions),
            "mixed": mixed[:20],
            "problems": problems[:20],
        }
    )
)
