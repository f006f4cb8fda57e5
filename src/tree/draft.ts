import { keyOf } from './adopt.ts';
import type { PathFilter } from './filter.ts';
import { objectsByKey } from './key-order.ts';
import { judgeKey } from './key-rules.ts';
import { NONE } from './layout.ts';
import type { ListedObjects } from './listing.ts';
import type { PatternList } from './patterns.ts';
import { describeProblem, nameKey, type Problem, type ProblemReason } from './problem.ts';
import { whyUnusable } from './unusable.ts';

/**
 * How many problems of one reason are kept with their keys; more are only counted. A store with the same
 * problem in every object must not fill the memory.
 */
const MOST_NAMED = 1_000;

interface FoundProblems {
  count: number;
  /** The positions in `Draft.order` of the first objects with the problem, at most MOST_NAMED. */
  readonly positions: number[];
}

/**
 * The tree as it follows from the keys in their byte order. Entry 0 is the root, a directory comes before its
 * content, and the children of one directory are in the order of their keys (so a directory is placed as name
 * + '/'). A file and a directory may still have the same path: `arrange` finds such a shadowed file later,
 * when it sorts the names of a directory.
 */
export class Draft {
  readonly objects: ListedObjects;
  /** The numbers of the objects, by ascending key. */
  readonly order: Uint32Array;
  count = 0;
  parents: Uint32Array;
  /**
   * By entry: where its name begins in the bytes of the keys. The other components of the path are in front
   * of the name.
   */
  nameStarts: Uint32Array;
  nameLengths: Uint8Array;
  /** By entry: the position of its object in `order`; NONE for a directory. */
  positions: Uint32Array;
  /** By object: 1 for an executable file. Undefined if no file is executable. */
  #executable: Uint8Array | undefined;
  readonly #found = new Map<ProblemReason, FoundProblems>();

  constructor(objects: ListedObjects) {
    this.objects = objects;
    this.order = objectsByKey(objects);
    const capacity = 64 + Math.ceil(1.125 * this.order.length);
    this.parents = new Uint32Array(capacity);
    this.nameStarts = new Uint32Array(capacity);
    this.nameLengths = new Uint8Array(capacity);
    this.positions = new Uint32Array(capacity);
    this.add(0, 0, 0, NONE);
  }

  add(parent: number, nameStart: number, nameLength: number, position: number): number {
    const entry = this.count++;
    if (entry === this.parents.length) this.#grow();
    this.parents[entry] = parent;
    this.nameStarts[entry] = nameStart;
    this.nameLengths[entry] = nameLength;
    this.positions[entry] = position;
    return entry;
  }

  isDirectory(entry: number): boolean {
    return this.positions[entry] === NONE;
  }

  /** Returns the number of a file's object. */
  object(entry: number): number {
    return this.order[this.positions[entry]!]!;
  }

  setExecutable(object: number): void {
    this.#executable ??= new Uint8Array(this.objects.count);
    this.#executable[object] = 1;
  }

  isExecutable(object: number): boolean {
    return this.#executable?.[object] === 1;
  }

  report(position: number, reason: ProblemReason): void {
    let found = this.#found.get(reason);
    if (found === undefined) {
      found = { count: 0, positions: [] };
      this.#found.set(reason, found);
    }
    found.count++;
    if (found.positions.length < MOST_NAMED) found.positions.push(position);
  }

  /** The number of all problems, including those that {@link problems} omits. */
  get problemCount(): number {
    let count = 0;
    for (const found of this.#found.values()) count += found.count;
    return count;
  }

  /** Returns the problems in byte order of their keys, at most MOST_NAMED for each reason. */
  problems(): Problem[] {
    const found = [...this.#found].flatMap(([reason, { positions }]) =>
      positions.map((position) => ({ position, reason })),
    );
    found.sort((a, b) => a.position - b.position);
    return found.map(({ position, reason }) => {
      const object = this.order[position]!;
      const key = nameKey(keyOf(this.objects, object));
      return { key, reason, detail: describeProblem(reason) };
    });
  }

  /** Returns, by reason, the number of problems that {@link problems} omits. */
  unnamedProblems(): Map<ProblemReason, number> {
    const unnamed = new Map<ProblemReason, number>();
    for (const [reason, { count, positions }] of this.#found) {
      if (count > positions.length) unnamed.set(reason, count - positions.length);
    }
    return unnamed;
  }

  #grow(): void {
    const capacity = Math.ceil(1.5 * this.parents.length);
    const wider = (column: Uint32Array): Uint32Array => {
      const grown = new Uint32Array(capacity);
      grown.set(column);
      return grown;
    };
    const lengths = new Uint8Array(capacity);
    lengths.set(this.nameLengths);
    this.parents = wider(this.parents);
    this.nameStarts = wider(this.nameStarts);
    this.positions = wider(this.positions);
    this.nameLengths = lengths;
  }
}

/**
 * Builds the draft of a listing. Applies the filter, the key rules and the checks for unusable objects, in
 * this order, so an excluded key is never a problem, however hostile.
 *
 * @param kept the numbers of the objects that are shown as they were before, and why
 */
export function draftTree(
  objects: ListedObjects,
  filter: PathFilter,
  executable?: PatternList,
  kept: ReadonlyMap<number, ProblemReason> = new Map(),
): Draft {
  const draft = new Draft(objects);
  const { keys, keyEnds, sizes, released } = objects;
  const slash = 0x2f;
  // The directories above the last accepted key: `open` has their entries, `ends` has where their names end,
  // counted from the start of the key.
  const open: number[] = [0];
  const ends: number[] = [-1];
  let lastStart = 0;
  let lastEnd = 0;
  for (let position = 0; position < draft.order.length; position++) {
    const object = draft.order[position]!;
    const start = keyEnds[object - 1] ?? 0;
    const end = keyEnds[object]!;
    if (!filter.showsAll && !filter.showsKey(keys.subarray(start, end))) continue;
    const unusable = whyUnusable(objects, object);
    // The reasons of the key rules come first, because they are permanent. A size that is unknown now may be
    // known in the next listing.
    const reason = judgeKey(keys, start, end, unusable === undefined ? sizes[object]! : 0) ?? unusable;
    if (reason !== undefined) {
      draft.report(position, reason);
      continue;
    }
    const keptFor = kept.get(object);
    if (keptFor !== undefined) draft.report(position, keptFor);
    const limit = Math.min(end - start, lastEnd - lastStart);
    let shared = 0;
    while (shared < limit && keys[start + shared] === keys[lastStart + shared]) shared++;
    while (ends[ends.length - 1]! >= shared) {
      ends.pop();
      open.pop();
    }
    let name = start + ends[ends.length - 1]! + 1;
    for (let at = name; at < end; at++) {
      if (keys[at] !== slash) continue;
      open.push(draft.add(open[open.length - 1]!, name, at - name, NONE));
      ends.push(at - start);
      name = at + 1;
    }
    if (name < end) {
      draft.add(open[open.length - 1]!, name, end - name, position);
      const isExecutable =
        released === undefined
          ? executable?.match(keys.subarray(start, end)) !== undefined
          : released.executable[object] === 1;
      if (isExecutable) draft.setExecutable(object);
    }
    lastStart = start;
    lastEnd = end;
  }
  return draft;
}
