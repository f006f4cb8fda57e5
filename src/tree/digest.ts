import { createHash } from 'node:crypto';
import { markDates } from './date-mark.ts';
import type { ListedObjects } from './listing.ts';

/**
 * Returns a digest of a listing: 64 hex digits, comparable within one host. Equal digests mean equal
 * listings: the same keys, ETags, sizes and readable storage classes in the same order. The digest excludes
 * the dates, so that uploading the same content again changes nothing. Two exceptions: it includes which
 * dates are unknown, because an unknown date is a problem to report, and the dates of objects without an
 * ETag, because such a date alone identifies the version. 1,000,000 objects take 53 ms (bench/tree.ts).
 */
export function digestListing(objects: ListedObjects): string {
  const { count, keys, keyEnds, etags, etagEnds, archived } = markDates(objects);
  // The columns have known lengths and a fixed order, so no two listings give the same input.
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
 * Returns a digest of the dates of all objects, in the order of the listing, which `digestListing` leaves
 * out. For decisions that depend on dates.
 */
export function digestDates({ count, lastModified }: ListedObjects): string {
  return createHash('sha256')
    .update(bytesOf(withoutNaN(lastModified.subarray(0, count))))
    .digest('hex');
}

/** Returns sizes or dates with -1 in place of NaN (unknown), because NaN has many bit patterns. */
function withoutNaN(sizes: Float64Array): Float64Array {
  for (const size of sizes) {
    if (Number.isNaN(size)) return sizes.map((known) => (Number.isNaN(known) ? -1 : known));
  }
  return sizes;
}

/** Returns 1 for each object without a date and 0 for the others; undefined if every object has a date. */
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
