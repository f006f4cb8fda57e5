import { isUtf8 } from 'node:buffer';
import type { ListedObjects } from '../../base/listed-objects.ts';
import { MAX_KEY_BYTES } from './key.ts';
import { type KeyRange, WHOLE_RANGE } from './range.ts';

/**
 * Cuts the key space where the pages of `objects` ended, so that a parallel listing of the same objects takes
 * as many requests as a sequential one. Returns one range if the listing is too short to be cut.
 */
export function cutIntoRanges(
  objects: ListedObjects,
  pageRows: number,
  prefix: string,
  least: number,
): readonly KeyRange[] {
  if (objects.count <= (least - 1) * pageRows) return [WHOLE_RANGE];
  const ranges: KeyRange[] = [];
  let from = WHOLE_RANGE;
  for (let row = pageRows - 1; row < objects.count - 1; row += pageRows) {
    const bytes = objects.keys.slice(objects.keyEnds[row - 1] ?? 0, objects.keyEnds[row]);
    // A key that is not UTF-8, or that was cut, cannot be sent as StartAfter.
    if (!isUtf8(bytes) || bytes.length > MAX_KEY_BYTES) continue;
    ranges.push({ ...from, boundary: bytes });
    from = { startAfter: prefix + Buffer.from(bytes).toString(), startBytes: bytes, boundary: undefined };
  }
  ranges.push(from);
  return ranges;
}
