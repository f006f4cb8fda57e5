const SPACE = 0x20;
const PLUS = 0x2b;
const PERCENT = 0x25;
const DELETE = 0x7f;
const NOT_HEX = 0xff;
const BARE = 1;

/** How the text of a key in a listing is to be read. */
export type KeyEncoding = 'url' | 'literal';

/** Whether a key's text told which {@link KeyEncoding} it is in, as bits. */
export const KEY_SAYS = {
  /** `+` or `%XX`: its two readings differ. */
  escaped: 1,
  /** A byte that no URL encoding leaves as it is (white space, controls, beyond ASCII): a literal key. */
  bare: 2,
  /** A `%` without two hexadecimal digits: a literal key, or a broken one. */
  malformed: 4,
} as const;

/** What {@link decodeKey} returns for a key outside the prefix. */
export const OUTSIDE_PREFIX = -1;

const HEX = hexDigits();
const SPECIAL_IN_URL = specialBytes('url');
const SPECIAL_IN_LITERAL = specialBytes('literal');

/**
 * Writes the key of `text[start..end)` without its prefix to `target` from `at` on, where as many bytes as the
 * text has must fit; returns where it ends, or {@link OUTSIDE_PREFIX}. What the text told about its encoding is
 * added to `said[0]`.
 *
 * S3 encodes as forms do (a space is `+`); SeaweedFS writes `%20` in a folder's name and `+` in a file's; some
 * stores write `%2F` for the slash. All of them decode alike.
 */
export function decodeKey(
  text: Uint8Array,
  start: number,
  end: number,
  encoding: KeyEncoding,
  prefix: Uint8Array,
  target: Uint8Array,
  at: number,
  said: Uint8Array,
): number {
  const prefixLength = prefix.length;
  const special = encoding === 'url' ? SPECIAL_IN_URL : SPECIAL_IN_LITERAL;
  let says = 0;
  let matched = 0;
  let tail = at;
  for (let i = start; i < end; i++) {
    let byte = text[i] as number;
    const kind = special[byte] as number;
    if (kind !== 0) {
      if (kind === PERCENT) {
        const high = i + 2 < end ? (HEX[text[i + 1] as number] as number) : NOT_HEX;
        const low = i + 2 < end ? (HEX[text[i + 2] as number] as number) : NOT_HEX;
        if (high === NOT_HEX || low === NOT_HEX) {
          says |= KEY_SAYS.malformed;
        } else {
          says |= KEY_SAYS.escaped;
          byte = (high << 4) | low;
          i += 2;
        }
      } else if (kind === PLUS) {
        says |= KEY_SAYS.escaped;
        byte = SPACE;
      } else {
        says |= KEY_SAYS.bare;
      }
    }
    if (matched === prefixLength) {
      target[tail++] = byte;
    } else if (byte === prefix[matched]) {
      matched++;
    } else {
      matched = OUTSIDE_PREFIX;
      break;
    }
  }
  said[0] = (said[0] ?? 0) | says;
  return matched === prefixLength ? tail : OUTSIDE_PREFIX;
}

/** For each byte 0 (it stands for itself), or what to do: PERCENT, PLUS, or BARE. */
function specialBytes(encoding: KeyEncoding): Uint8Array {
  const table = new Uint8Array(256);
  table.fill(BARE, 0, SPACE + 1);
  table.fill(BARE, DELETE);
  if (encoding === 'url') {
    table[PERCENT] = PERCENT;
    table[PLUS] = PLUS;
  }
  return table;
}

function hexDigits(): Uint8Array {
  const table = new Uint8Array(256).fill(NOT_HEX);
  for (const [digit, value] of '0123456789abcdef'.split('').entries()) {
    table[value.charCodeAt(0)] = digit;
    table[value.toUpperCase().charCodeAt(0)] = digit;
  }
  return table;
}
