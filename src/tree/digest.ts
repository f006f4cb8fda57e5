import { createHash } from 'node:crypto';
import { markDates } from './date-mark.ts';
import type { ListedObjects } from './listing.ts';

/**
 * Equal digests mean equal listings: same keys, ETags, sizes and readable classes in the same order. 64 hex digits,
 * comparable within one host. Excludes the dates, so that the same content uploaded again changes nothing, with two
 * exceptions: which dates are unknown, because that is a problem to report, and the dates of objects without an ETag,
 * which alone identify their versions. 1,000,000 objects take 53 ms (bench/tree.ts).
 */
export function digestListing(objects: ListedObjects): string {
  const { count, keys, keyEnds, etags, etagEnds, archived } = markDates(objects);
  // Columns of known lengths in a fixed order: no two listings give the same input.
  const hash = createHash('sha256').update(`${count}\n`);
  hash.update(bytesOf(keyEnds.subarray(0, count)));
  hash.update(bytesOf(etagEnds.subarray(0, count)));
  hash.update(bytesOf(withoutNaN(objects.sizes.subarray(0, count))));
  hash.update(archived.subarray(0, count));
  hash.update(keys.subarray(0, keyEnds[count - 1] ?? 0));
  hash.update(etags.subarray(0, etagEnds[count - 1] ?? 0));
  const undated = undatedObjects(objects);
  if (undated !== undefined) hash.update(undated);
  return hash.digest('hex');
}

/**
 * A digest of what `digestListing` leaves out: the date of each object, in the same order. For judgements that depend
 * on dates.
 */
export function digestDates({ count, lastModified }: ListedObjects): string {
  return createHash('sha256')
    .update(bytesOf(withoutNaN(lastModified.subarray(0, count))))
    .digest('hex');
}

/** Sizes or dates with -1 for unknown: a NaN has many bit patterns. */
function withoutNaN(sizes: Float64Array): Float64Array {
  for (const size of sizes) {
    if (Number.isNaN(size)) return sizes.map((known) => (Number.isNaN(known) ? -1 : known));
  }
  return sizes;
}

/** 1 for each object without a date; undefined if every object has one. */
function undatedObjects({ count, lastModified }: ListedObjects): Uint8Array | undefined {
  let undated: Uint8Array | undefined;
  for (let object = 0; object < count; object++) {
    if (!Number.isNaN(lastModified[object])) continue;
    undated ??= new Uint8Array(count);
    undated[object] = 1;
  }
  return undated;
}

function bytesOf(column: Uint32Array | Float64Array): Uint8Array {
  return new Uint8Array(column.buffer, column.byteOffset, column.byteLength);
}
