const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]+/gu;

/** Text of others, fit for one line of a log or terminal: without control characters, at most `length` characters. */
export function printable(text: string, length = 500): string {
  const clean = text
    .slice(0, length * 4)
    .replace(UNPRINTABLE, ' ')
    .trim();
  return clean.length > length ? `${clean.slice(0, length)}…` : clean;
}
