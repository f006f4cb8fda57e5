import { bareEtagRange, isEtagByte, LONGEST_ETAG } from '../etag.ts';
import type { ListingColumns } from './columns.ts';
import type { XmlReader } from './xml.ts';

/** The number of digits of the largest size. */
const MAX_DIGITS = 16;

const SPACE = 0x20;
const ZERO = 0x30;

/**
 * Writes the last read text as an ETag to the tail of the columns, without quotes and without the weak mark,
 * which proxies add. Writes nothing if the ETag is empty, overlong, or cannot be sent in an If-Match header.
 * If a second ETag of the object (`isSecond`) differs from the first, discards both.
 */
export function readEtag(xml: XmlReader, columns: ListingColumns, isSecond: boolean): void {
  const { text } = xml;
  let from = xml.textStart;
  let to = xml.textEnd;
  while (from < to && (text[from] as number) <= SPACE) from++;
  while (from < to && (text[to - 1] as number) <= SPACE) to--;
  const { start, end } = bareEtagRange(text, from, to);
  const first = columns.etagBytes;
  if (isSecond) {
    const isSame =
      columns.etagTail - first === end - start && isEqual(text, start, end, columns.etags, first);
    if (!isSame) columns.etagTail = first;
    return;
  }
  if (end - start > LONGEST_ETAG) return;
  columns.reserveEtag(end - start);
  const { etags } = columns;
  let tail = first;
  for (let at = start; at < end; at++) {
    const byte = text[at] as number;
    if (!isEtagByte(byte)) return;
    etags[tail++] = byte;
  }
  columns.etagTail = tail;
}

/** Returns the last read text as a number of bytes; NaN if it is no whole number from 0 to 2^53 - 1. */
export function readSize(xml: XmlReader): number {
  const { text } = xml;
  let at = xml.textStart;
  let end = xml.textEnd;
  while (at < end && (text[at] as number) <= SPACE) at++;
  while (at < end && (text[end - 1] as number) <= SPACE) end--;
  while (at < end - 1 && text[at] === ZERO) at++;
  if (at === end || end - at > MAX_DIGITS) return Number.NaN;
  let size = 0;
  for (; at < end; at++) {
    const digit = (text[at] as number) - ZERO;
    size = digit < 0 || digit > 9 ? Number.NaN : size * 10 + digit;
  }
  return Number.isSafeInteger(size) ? size : Number.NaN;
}

function isEqual(left: Uint8Array, start: number, end: number, right: Uint8Array, from: number): boolean {
  for (let at = start; at < end; at++) if (left[at] !== right[from + at - start]) return false;
  return true;
}
