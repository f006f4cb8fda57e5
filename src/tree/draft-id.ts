import type { Arrangement } from './arrange.ts';
import { compareBytes } from './bytes.ts';
import type { Draft } from './draft.ts';
import { GenerationHasher } from './identity.ts';

/** Returns the id of the generation that a draft becomes, as 16 bytes: see GenerationHasher. */
export function draftId(draft: Draft, arrangement: Arrangement): Uint8Array {
  const hasher = new GenerationHasher();
  const { keys, sizes, etags, etagEnds } = draft.objects;
  const { nameStarts, nameLengths } = draft;
  visitInByteOrder(draft, arrangement, (entry, prefixLength) => {
    const start = nameStarts[entry]! - prefixLength;
    const end = nameStarts[entry]! + nameLengths[entry]!;
    if (draft.isDirectory(entry)) {
      hasher.add('d', keys, start, end, 0, etags, 0, 0);
    } else {
      const object = draft.object(entry);
      const kind = draft.isExecutable(object) ? 'x' : 'f';
      hasher.add(kind, keys, start, end, sizes[object]!, etags, etagEnds[object - 1] ?? 0, etagEnds[object]!);
    }
  });
  return hasher.digest();
}

/** `prefixLength`: bytes of the path before the name, including its slash. */
type Visit = (entry: number, prefixLength: number) => void;

/**
 * Visits all shown entries except the root, in byte order of their paths. The children of a directory are in
 * key order, which differs from byte order in one thing: the directory `a` is placed at `a/`, behind the file
 * `a.txt` and the directory `a-b`. So the function sorts the subdirectories of each directory once more, by
 * name, and merges them in.
 */
function visitInByteOrder(draft: Draft, { children, ranges, shadowed }: Arrangement, visit: Visit): void {
  // The recursion is as deep as the tree: at most 2,048 levels (LONGEST_PATH).
  const descend = (directory: number, prefixLength: number): void => {
    const siblings = children.subarray(ranges[directory]!, ranges[directory + 1]!);
    const byName = subdirectoriesByName(draft, siblings);
    let next = 0;
    for (const child of siblings) {
      while (next < byName.length && comesFirst(draft, byName[next]!, child))
        visit(byName[next++]!, prefixLength);
      if (draft.isDirectory(child)) descend(child, prefixLength + draft.nameLengths[child]! + 1);
      else if (shadowed[child] === 0) visit(child, prefixLength);
    }
  };
  descend(0, 0);
}

/**
 * Returns the subdirectories among siblings, by name. Uses an insertion sort: only names of which one is a
 * prefix of the other are out of order, so few names move, and not far.
 */
function subdirectoriesByName(draft: Draft, siblings: Uint32Array): number[] {
  const sorted: number[] = [];
  for (const child of siblings) {
    if (!draft.isDirectory(child)) continue;
    let at = sorted.length;
    while (at > 0 && compareNames(draft, child, sorted[at - 1]!) < 0) at--;
    if (at === sorted.length) sorted.push(child);
    else sorted.splice(at, 0, child);
  }
  return sorted;
}

/**
 * Returns whether the path of `directory` comes before `child`; if `child` is a directory, before the content
 * of `child`.
 */
function comesFirst(draft: Draft, directory: number, child: number): boolean {
  return directory === child || compareNames(draft, directory, child) < 0;
}

function compareNames(draft: Draft, a: number, b: number): number {
  const { nameStarts, nameLengths, objects } = draft;
  const { keys } = objects;
  const aStart = nameStarts[a]!;
  const bStart = nameStarts[b]!;
  return compareBytes(keys, aStart, aStart + nameLengths[a]!, keys, bStart, bStart + nameLengths[b]!);
}
