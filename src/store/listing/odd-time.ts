import { instantOf } from './calendar.ts';

const ZONE = '(Z|UTC|UT|GMT|[+-]\\d\\d(?::?\\d\\d)?)?';

/** ISO 8601: the seconds may be missing, and a space may stand for the T. */
const ISO = new RegExp(
  `^(\\d{4})-(\\d\\d)-(\\d\\d)[T ](\\d\\d):(\\d\\d)(?::(\\d\\d)(?:[.,](\\d+))?)? ?${ZONE}$`,
  'i',
);
/** ISO 8601 without separators, as in the dates of S3's signatures. */
const BASIC = new RegExp(`^(\\d{4})(\\d\\d)(\\d\\d)T(\\d\\d)(\\d\\d)(\\d\\d)(?:[.,](\\d+))?${ZONE}$`, 'i');
/**
 * `Fri, 02 Jan 2026 03:04:05 GMT`: RFC 1123, as HTTP and S3 write Last-Modified. A year of two digits is
 * refused, because its century is unknown.
 */
const RFC_1123 = new RegExp(
  `^(?:[a-z]{3,9},? )?(\\d{1,2})[ -]([a-z]{3,9})[ -](\\d{4}) (\\d\\d):(\\d\\d)(?::(\\d\\d))? ?${ZONE}$`,
  'i',
);
/** `Fri Jan  2 03:04:05 2026`, as asctime() of C writes it. */
const ASCTIME = new RegExp(
  `^[a-z]{3} ([a-z]{3}) {1,2}(\\d{1,2}) (\\d\\d):(\\d\\d):(\\d\\d) ?${ZONE} ?(\\d{4})$`,
  'i',
);

const MONTHS = [
  'january',
  'february',
  'march',
  'april',
  'may',
  'june',
  'july',
  'august',
  'september',
  'october',
  'november',
  'december',
] as const;

/**
 * Parses an instant that is not in S3's listing format but is unambiguous. Returns milliseconds since the
 * epoch. Without a zone the instant is in UTC, as all of S3's dates are. Returns NaN for any other text: a
 * day without a time, a two-digit year, a number of seconds or milliseconds.
 */
export function parseOddInstant(written: string): number {
  const text = written.trim();
  const iso = ISO.exec(text) ?? BASIC.exec(text);
  if (iso !== null) {
    const [, year, month, day, hour, minute, second, fraction, zone] = iso;
    return instant({ year, month: Number(month), day, hour, minute, second, fraction, zone });
  }
  const http = RFC_1123.exec(text);
  if (http !== null) {
    const [, day, month, year, hour, minute, second, zone] = http;
    return instant({ year, month: monthNamed(month), day, hour, minute, second, zone });
  }
  const asctime = ASCTIME.exec(text);
  if (asctime === null) return Number.NaN;
  const [, month, day, hour, minute, second, zone, year] = asctime;
  return instant({ year, month: monthNamed(month), day, hour, minute, second, zone });
}

interface Parts {
  readonly year: string | undefined;
  readonly month: number;
  readonly day: string | undefined;
  readonly hour: string | undefined;
  readonly minute: string | undefined;
  readonly second: string | undefined;
  readonly fraction?: string | undefined;
  readonly zone: string | undefined;
}

function instant({ year, month, day, hour, minute, second = '0', fraction = '', zone }: Parts): number {
  const milliseconds = Number(`${fraction}000`.slice(0, 3));
  const local = instantOf(
    Number(year),
    month,
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
    milliseconds,
  );
  return local - offsetOf(zone);
}

/** Returns a zone's offset from UTC in milliseconds; NaN if the offset is a day or longer. */
function offsetOf(zone: string | undefined): number {
  const [, sign, hours, minutes = '0'] = /^([+-])(\d\d):?(\d\d)?$/.exec(zone ?? '') ?? [];
  if (sign === undefined) return 0;
  if (Number(hours) > 23 || Number(minutes) > 59) return Number.NaN;
  const ahead = (Number(hours) * 60 + Number(minutes)) * 60_000;
  return sign === '-' ? -ahead : ahead;
}

/**
 * Returns the number of a month, 1 to 12; NaN for an unknown name. A name has three letters, or is the full
 * name.
 */
function monthNamed(name = ''): number {
  const sought = name.toLowerCase();
  const index = MONTHS.findIndex((month) => month === sought || month.slice(0, 3) === sought);
  return index < 0 ? Number.NaN : index + 1;
}
