import { ChildOrder } from './child-order.ts';
import type { Draft } from './draft.ts';
import type { NameHash } from './name-hash.ts';

/** The entries of a draft in their final, breadth-first order. */
export interface Arrangement {
  /** The number of final entries: all entries of the draft except the shadowed files. */
  readonly count: number;
  /** For each final entry, its index in the draft. */
  readonly draftOf: Uint32Array;
  readonly parents: Uint32Array;
  readonly childStarts: Uint32Array;
  readonly cookieHigh: Uint32Array;
  readonly cookieLow: Uint32Array;
  /** By draft entry: 1 for a file that is hidden by a directory with the same path. */
  readonly shadowed: Uint8Array;
  /** The children of draft entry d, in key order, are `children[ranges[d] .. ranges[d + 1])`. */
  readonly children: Uint32Array;
  readonly ranges: Uint32Array;
}

/**
 * Orders the children of each directory by cookie, gives names with the same hash different cookies, and
 * reports shadowed files.
 */
export function arrange(draft: Draft, hash: NameHash, saltHigh: number, saltLow: number): Arrangement {
  const { ranges, children } = groupByParent(draft);
  const order = new ChildOrder(draft, hash, saltHigh, saltLow);
  const draftOf = new Uint32Array(draft.count);
  const parents = new Uint32Array(draft.count);
  const childStarts = new Uint32Array(draft.count + 1);
  const cookieHigh = new Uint32Array(draft.count);
  const cookieLow = new Uint32Array(draft.count);
  const shadowed = new Uint8Array(draft.count);
  let count = 1;
  for (let directory = 0; directory < count; directory++) {
    childStarts[directory] = count;
    const from = draftOf[directory]!;
    const siblings = children.subarray(ranges[from]!, ranges[from + 1]!);
    if (siblings.length === 0) continue;
    const sorted = draftOf.subarray(count, count + siblings.length);
    sorted.set(siblings);
    order.sort(sorted);
    let high = 0;
    let low = 0;
    const first = count;
    for (let i = 0; i < sorted.length; i++) {
      const entry = sorted[i]!;
      if (isHidden(draft, order, sorted, i)) {
        shadowed[entry] = 1;
        draft.report(draft.positions[entry]!, 'shadowed');
        continue;
      }
      const wishHigh = order.wishHigh(entry);
      const wishLow = order.wishLow(entry);
      if (count === first || wishHigh > high || (wishHigh === high && wishLow > low)) {
        high = wishHigh;
        low = wishLow;
      } else {
        low = (low + 1) >>> 0;
        if (low === 0) high++;
      }
      // `sorted` is a view of these same slots. This write cannot overwrite an entry that is still to be
      // read: a hidden file only makes the write position fall behind the read position.
      draftOf[count] = entry;
      parents[count] = directory;
      cookieHigh[count] = high;
      cookieLow[count] = low;
      count++;
    }
  }
  childStarts[count] = count;
  return { count, draftOf, parents, childStarts, cookieHigh, cookieLow, shadowed, children, ranges };
}

/**
 * Returns whether entry `i` is a file, and a directory beside it has the same name. `sorted` has entries with
 * equal names side by side: at most one file and one directory.
 */
function isHidden(draft: Draft, order: ChildOrder, sorted: Uint32Array, i: number): boolean {
  if (draft.isDirectory(sorted[i]!)) return false;
  const hides = (beside: number): boolean =>
    beside >= 0 &&
    beside < sorted.length &&
    order.wishLow(sorted[beside]!) === order.wishLow(sorted[i]!) &&
    draft.isDirectory(sorted[beside]!) &&
    order.compareNames(sorted[beside]!, sorted[i]!) === 0;
  return hides(i - 1) || hides(i + 1);
}

function groupByParent(draft: Draft): { readonly ranges: Uint32Array; readonly children: Uint32Array } {
  const ranges = new Uint32Array(draft.count + 1);
  for (let entry = 1; entry < draft.count; entry++) ranges[draft.parents[entry]! + 1]!++;
  for (let entry = 0; entry < draft.count; entry++) ranges[entry + 1]! += ranges[entry]!;
  const next = ranges.slice();
  const children = new Uint32Array(draft.count - 1);
  for (let entry = 1; entry < draft.count; entry++) children[next[draft.parents[entry]!]!++] = entry;
  return { ranges, children };
}
