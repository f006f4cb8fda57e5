import { instantOf } from './calendar.ts';
import { parseOddInstant } from './odd-time.ts';

const ZERO = 0x30;
const NINE = 0x39;
const HYPHEN = 0x2d;
const DOT = 0x2e;
const COLON = 0x3a;
const LETTER_T = 0x54;
const LETTER_Z = 0x5a;

/** The maximum number of bytes of a date that is parsed. A date in any notation is shorter. */
const MAX_DATE_BYTES = 64;

/**
 * Parses an instant in S3's listing format (`2009-10-12T17:50:30.000Z`), with any number of fractional digits
 * or none (SeaweedFS). Returns milliseconds since the epoch. Also parses other unambiguous formats, more
 * slowly (odd-time.ts). Returns NaN for any other text.
 */
export function parseInstant(text: Uint8Array, start: number, end: number): number {
  const instant = parseUsual(text, start, end);
  if (!Number.isNaN(instant) || end - start > MAX_DATE_BYTES) return instant;
  return parseOddInstant(Buffer.from(text.subarray(start, end)).toString('latin1'));
}

/**
 * Parses an instant in the format of S3 or SeaweedFS. Returns NaN for another format, or if the date is
 * invalid.
 */
function parseUsual(text: Uint8Array, start: number, end: number): number {
  const year = digits(text, start, 4);
  const month = digits(text, start + 5, 2);
  const day = digits(text, start + 8, 2);
  const hour = digits(text, start + 11, 2);
  const minute = digits(text, start + 14, 2);
  const second = digits(text, start + 17, 2);
  const shaped =
    end - start >= 20 &&
    text[start + 4] === HYPHEN &&
    text[start + 7] === HYPHEN &&
    text[start + 10] === LETTER_T &&
    text[start + 13] === COLON &&
    text[start + 16] === COLON;
  if (!shaped) return Number.NaN;

  let at = start + 19;
  let milliseconds = 0;
  if (text[at] === DOT) {
    const first = ++at;
    for (let unit = 100; isDigit(text[at]) && at < end; unit /= 10, at++) {
      if (unit >= 1) milliseconds += ((text[at] ?? ZERO) - ZERO) * unit;
    }
    if (at === first) return Number.NaN;
  }
  if (at !== end - 1 || text[at] !== LETTER_Z) return Number.NaN;
  return instantOf(year, month, day, hour, minute, second, milliseconds);
}

function digits(text: Uint8Array, at: number, length: number): number {
  let value = 0;
  for (let i = at; i < at + length; i++) {
    const digit = (text[i] ?? 0) - ZERO;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= NINE;
}
