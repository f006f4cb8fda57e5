import type { Generation } from './generation.ts';

/** How many names are sorted without yielding: that takes some milliseconds. */
const RUN = 4_096;
/**
 * Ends the name in a sort key. No name has a NUL, and no byte is smaller, so `a` comes before `a.py` also
 * with this end.
 */
const END = '\0';

/**
 * Returns all entries except the root, in byte order of their paths: `a` before `a.py` before `a/b`. This is
 * a generator, so that the caller can yield to the event loop in between: 100,000 entries take some 150 ms.
 */
export function* orderByPath(generation: Generation): Generator<void, Uint32Array> {
  const order = new Uint32Array(generation.entries - 1);
  let filled = 0;
  /** The remaining steps of each directory on the current path, the next step last. */
  const stack: Step[][] = [(yield* stepsOf(generation, 0)).reverse()];
  for (let steps = stack.at(-1); steps !== undefined; steps = stack.at(-1)) {
    const step = steps.pop();
    if (step === undefined) stack.pop();
    else if (step.into) stack.push((yield* stepsOf(generation, step.index)).reverse());
    else order[filled++] = step.index;
    yield;
  }
  return order;
}

/** A step of the walk: to an entry itself or, with `into`, into the content of a directory. */
interface Step {
  readonly index: number;
  readonly into: boolean;
}

/**
 * Returns the steps of a directory in the order of paths. A subdirectory with content has two steps, which
 * are sorted as `name` and `name/`.
 */
function* stepsOf(generation: Generation, directory: number): Generator<void, Step[]> {
  const runs: string[][] = [];
  let keys: string[] = [];
  for (let index = generation.childrenStart(directory); index < generation.childrenEnd(directory); index++) {
    const name = Buffer.from(generation.name(index)).toString('latin1');
    keys.push(`${name}${END}${index}`);
    if (generation.childrenStart(index) < generation.childrenEnd(index)) keys.push(`${name}/${END}${index}`);
    if (keys.length >= RUN) {
      runs.push(keys.sort());
      keys = [];
    }
    yield;
  }
  runs.push(keys.sort());
  return (yield* merged(runs)).map((key) => {
    const end = key.lastIndexOf(END);
    return { index: Number(key.slice(end + 1)), into: key.charCodeAt(end - 1) === SLASH };
  });
}

const SLASH = 0x2f;

function* merged(sorted: readonly string[][]): Generator<void, readonly string[]> {
  let runs: readonly (readonly string[])[] = sorted;
  while (runs.length > 1) {
    const fewer: (readonly string[])[] = [];
    for (let at = 0; at < runs.length; at += 2)
      fewer.push(yield* mergedTwo(runs[at] ?? [], runs[at + 1] ?? []));
    runs = fewer;
  }
  return runs[0] ?? [];
}

function* mergedTwo(one: readonly string[], other: readonly string[]): Generator<void, readonly string[]> {
  if (other.length === 0) return one;
  const both: string[] = [];
  let i = 0;
  let j = 0;
  while (i < one.length && j < other.length) {
    both.push((one[i] as string) <= (other[j] as string) ? (one[i++] as string) : (other[j++] as string));
    yield;
  }
  return both.concat(one.slice(i), other.slice(j));
}

/**
 * Returns the position in `order` of the first path that does not sort before `path`; with `past`, of the
 * first that sorts after it.
 */
export function placeInOrder(
  generation: Generation,
  order: Uint32Array,
  path: Uint8Array,
  past: boolean,
): number {
  let low = 0;
  let high = order.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const compared = Buffer.compare(Buffer.from(generation.path(order[middle] as number)), path);
    if (compared < 0 || (past && compared === 0)) low = middle + 1;
    else high = middle;
  }
  return low;
}
