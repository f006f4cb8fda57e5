import type { Arrangement } from './arrange.ts';
import { type Columns, openColumns } from './columns.ts';
import type { Draft } from './draft.ts';
import { checkEtagLength } from './identity.ts';
import {
  DIGEST_BYTES,
  FLAG_ARCHIVED,
  FLAG_DIGEST,
  FLAG_DIRECTORY,
  FLAG_EXECUTABLE,
  FLAG_PACKED_ETAG,
  FORMAT_VERSION,
  HEADER,
  layoutOf,
  MAGIC,
} from './layout.ts';

const LATEST = 0xffffffff;
const NO_DIGIT = 16;
/** By byte: the value of a lower-case hex digit; NO_DIGIT for all other bytes. */
const DIGITS: Readonly<Uint8Array> = Uint8Array.from({ length: 256 }, (_, byte) => {
  const value = '0123456789abcdef'.indexOf(String.fromCharCode(byte));
  return value < 0 ? NO_DIGIT : value;
});

/**
 * Returns the buffer of a drafted tree, filled with everything that follows from the listing alone. Leaves
 * node ids, mtimes and version names 0, and in the header the id and the number of problems.
 */
export function fillColumns(
  draft: Draft,
  arrangement: Arrangement,
  saltHigh: number,
  saltLow: number,
): { readonly buffer: SharedArrayBuffer; readonly columns: Columns } {
  const { count } = arrangement;
  const heapBytes = measureHeap(draft, arrangement);
  const layout = layoutOf(count, heapBytes);
  const buffer = new SharedArrayBuffer(layout.byteLength);
  new Uint32Array(buffer, 0, 2).set(MAGIC);
  const header = new DataView(buffer);
  header.setUint32(HEADER.format, FORMAT_VERSION, true);
  header.setUint32(HEADER.entries, count, true);
  header.setUint32(HEADER.heapBytes, heapBytes, true);
  header.setUint32(HEADER.saltHigh, saltHigh, true);
  header.setUint32(HEADER.saltLow, saltLow, true);
  header.setUint32(HEADER.released, draft.objects.released === undefined ? 0 : 1, true);
  const columns = openColumns(buffer, layout);
  columns.parents.set(arrangement.parents.subarray(0, count));
  columns.childStarts.set(arrangement.childStarts.subarray(0, count + 1));
  columns.cookieHigh.set(arrangement.cookieHigh.subarray(0, count));
  columns.cookieLow.set(arrangement.cookieLow.subarray(0, count));
  fillNames(columns, draft, arrangement);
  const { directories, bytes } = fillObjects(columns, draft, arrangement);
  header.setUint32(HEADER.files, count - directories, true);
  header.setUint32(HEADER.directories, directories, true);
  header.setFloat64(HEADER.bytes, bytes, true);
  return { buffer, columns };
}

/**
 * Converts milliseconds since the epoch to whole seconds, limited to the range of the column (until 2106).
 * Returns 0 for NaN, an unknown date.
 */
export function wholeSeconds(milliseconds: number): number {
  const seconds = Math.floor(milliseconds / 1000);
  return seconds > 0 ? Math.min(seconds, LATEST) : 0;
}

function measureHeap(draft: Draft, { count, draftOf }: Arrangement): number {
  const { etags, etagEnds, released } = draft.objects;
  let heapBytes = released?.packs.length ?? 0;
  for (let i = 1; i < count; i++) {
    const entry = draftOf[i]!;
    heapBytes += draft.nameLengths[entry]!;
    if (draft.isDirectory(entry)) continue;
    const object = draft.object(entry);
    const start = etagEnds[object - 1] ?? 0;
    const end = etagEnds[object]!;
    if (released !== undefined) heapBytes += DIGEST_BYTES;
    else if (!isMd5(etags, start, end)) heapBytes += end - start;
  }
  return heapBytes;
}

function fillNames({ nameStarts, heap }: Columns, draft: Draft, { count, draftOf }: Arrangement): void {
  const { keys } = draft.objects;
  let used = 0;
  for (let i = 0; i < count; i++) {
    const entry = draftOf[i]!;
    const start = draft.nameStarts[entry]!;
    const length = draft.nameLengths[entry]!;
    nameStarts[i] = used;
    for (let at = 0; at < length; at++) heap[used + at] = keys[start + at]!;
    used += length;
  }
  nameStarts[count] = used;
}

function fillObjects(
  columns: Columns,
  draft: Draft,
  { count, draftOf, parents }: Arrangement,
): { readonly directories: number; readonly bytes: number } {
  const { sizes, archived, lastModified, etags, etagEnds, released } = draft.objects;
  let heapUsed = columns.nameStarts[count]!;
  const packs = heapUsed;
  if (released !== undefined) {
    columns.heap.set(released.packs, packs);
    heapUsed += released.packs.length;
  }
  let directories = 0;
  let bytes = 0;
  for (let i = 0; i < count; i++) {
    const entry = draftOf[i]!;
    if (draft.isDirectory(entry)) {
      columns.flags[i] = FLAG_DIRECTORY;
      if (i !== 0) columns.sizes[parents[i]!]! += 1;
      directories++;
      continue;
    }
    const object = draft.object(entry);
    const start = etagEnds[object - 1] ?? 0;
    const end = etagEnds[object]!;
    let flags = archived[object] === 1 ? FLAG_ARCHIVED : 0;
    if (draft.isExecutable(object)) flags |= FLAG_EXECUTABLE;
    if (released !== undefined) {
      flags |= FLAG_DIGEST;
      packDigits(etags, end - 2 * DIGEST_BYTES, columns.heap, heapUsed, DIGEST_BYTES);
      columns.etags[4 * i] = heapUsed;
      columns.etags[4 * i + 1] = DIGEST_BYTES;
      columns.etags[4 * i + 2] = packs + DIGEST_BYTES * released.packOf[object]!;
      columns.etags[4 * i + 3] = released.offsets[object]!;
      heapUsed += DIGEST_BYTES;
    } else if (isMd5(etags, start, end)) {
      flags |= FLAG_PACKED_ETAG;
      packDigits(etags, start, columns.etagBytes, 16 * i, 16);
    } else {
      checkEtagLength(end - start);
      columns.etags[4 * i] = heapUsed;
      columns.etags[4 * i + 1] = end - start;
      columns.heap.set(etags.subarray(start, end), heapUsed);
      heapUsed += end - start;
    }
    columns.flags[i] = flags;
    columns.sizes[i] = sizes[object]!;
    columns.lastModified[i] = wholeSeconds(lastModified[object]!);
    bytes += sizes[object]!;
  }
  return { directories, bytes };
}

/** Decodes 2 * `bytes` hex digits, from `start` on, and writes the bytes to `into`. */
function packDigits(
  digits: Uint8Array,
  start: number,
  into: Uint8Array,
  offset: number,
  bytes: number,
): void {
  for (let at = 0; at < bytes; at++) {
    const high = DIGITS[digits[start + 2 * at]!]!;
    into[offset + at] = (high << 4) | DIGITS[digits[start + 2 * at + 1]!]!;
  }
}

/** Returns whether an ETag is 32 lower-case hex digits. */
function isMd5(etags: Uint8Array, start: number, end: number): boolean {
  if (end - start !== 32) return false;
  for (let at = start; at < end; at++) if (DIGITS[etags[at]!] === NO_DIGIT) return false;
  return true;
}
