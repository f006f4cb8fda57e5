const MILLISECONDS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

const BYTES: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

const MEASURE = /^(\d+(?:\.\d+)?) ?([A-Za-z]*)$/;

/**
 * Returns the milliseconds of `250ms`, `10s`, `1.5m`, `1h`, or of a bare 0; undefined if the text is not a
 * duration.
 */
export function parseDuration(text: string): number | undefined {
  return text === '0' ? 0 : parse(text, MILLISECONDS);
}

/** Returns the bytes of `4096`, `64KiB`, `2GiB`, `10MB`; undefined if the text is not a size. */
export function parseSize(text: string): number | undefined {
  return parse(text, BYTES);
}

function parse(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const [, digits, unit = ''] = MEASURE.exec(text) ?? [];
  const scale = Object.hasOwn(units, unit) ? units[unit] : undefined;
  if (digits === undefined || scale === undefined) return undefined;
  const amount = Math.round(Number(digits) * scale);
  return Number.isSafeInteger(amount) ? amount : undefined;
}
