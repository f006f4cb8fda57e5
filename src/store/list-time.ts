const ZERO = 0x30;
const NINE = 0x39;
const HYPHEN = 0x2d;
const DOT = 0x2e;
const COLON = 0x3a;
const LETTER_T = 0x54;
const LETTER_Z = 0x5a;

/** From 0000-03-01 to 1970-01-01. */
const DAYS_TO_EPOCH = 719_468;

const WITH_OFFSET = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?[+-]\d\d:\d\d$/;

/**
 * Milliseconds since the epoch of an instant as S3 writes it in a listing (`2009-10-12T17:50:30.000Z`), with any
 * number of digits of a second or none (SeaweedFS); an offset from UTC is understood. NaN for anything else.
 */
export function parseInstant(text: Uint8Array, start: number, end: number): number {
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
  if (!shaped || !(month >= 1 && month <= 12 && day >= 1 && day <= 31)) return Number.NaN;
  if (!(hour <= 23 && minute <= 59 && second <= 60)) return Number.NaN;

  let at = start + 19;
  let milliseconds = 0;
  if (text[at] === DOT) {
    const first = ++at;
    for (let unit = 100; isDigit(text[at]) && at < end; unit /= 10, at++) {
      if (unit >= 1) milliseconds += ((text[at] ?? ZERO) - ZERO) * unit;
    }
    if (at === first) return Number.NaN;
  }
  if (at === end - 1 && text[at] === LETTER_Z) {
    return (
      ((daysSinceEpoch(year, month, day) * 24 + hour) * 60 + minute) * 60_000 + second * 1000 + milliseconds
    );
  }
  const written = String.fromCharCode(...text.subarray(start, Math.min(end, start + 64)));
  return WITH_OFFSET.test(written) ? Date.parse(written) : Number.NaN;
}

/**
 * In the proleptic Gregorian calendar, counting years from March so that the leap day is the last of a year. Date.UTC
 * takes five times as long.
 */
function daysSinceEpoch(year: number, month: number, day: number): number {
  const years = month <= 2 ? year - 1 : year;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const leapDays = Math.floor(years / 4) - Math.floor(years / 100) + Math.floor(years / 400);
  return years * 365 + leapDays + dayOfYear - DAYS_TO_EPOCH;
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
