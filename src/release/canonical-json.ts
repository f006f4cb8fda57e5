import { isUtf8 } from 'node:buffer';
import { ReleaseError } from './release-error.ts';

export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue | undefined };

/** Deeper documents are refused: the deepest of ours has four levels. */
const MOST_LEVELS = 16;
/** Values of a manifest of a million files, each with six fields, and as many again. */
const MOST_VALUES = 16_000_000;
/** The objects of such a manifest. */
const MOST_CONTAINERS = 1_000_016;

/** Everything outside of 0x20 to 0x7e, the quote and the backslash. */
const ESCAPED = /[^ !#-[\]-~]/g;

const LONE_SURROGATE = /\p{Cs}/u;

const SHORT: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

/**
 * The one text of a value: keys in the order of their code points, no spaces, everything outside of 0x20 to 0x7e as
 * \uXXXX in lower case, with surrogate pairs. These are the bytes of Python's
 * `json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)`; JSON.stringify differs: it leaves DEL and
 * everything beyond ASCII as they are. Numbers are integers that a double holds exactly. A key whose value is undefined is
 * left out.
 *
 * @throws {ReleaseError} `malformed` where the value has a lone surrogate or another number
 */
export function canonicalJson(value: JsonValue): string {
  const parts: string[] = [];
  write(value, parts, 0);
  return parts.join('');
}

/**
 * The value of canonical bytes. Any other text of the same value is refused: whoever reads these bytes, in whatever
 * language, reads the same, whatever their parser makes of a key that is there twice.
 *
 * @param what the name of the document, for errors
 * @throws {ReleaseError} `malformed`
 */
export function parseCanonicalJson(bytes: Uint8Array, what: string): JsonValue {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  const value = parseJson(bytes, what);
  if (canonicalJson(value) !== text) throw malformed(`${what} is not canonical JSON`);
  return value;
}

/**
 * The value of JSON in UTF-8.
 *
 * @throws {ReleaseError} `malformed`
 */
export function parseJson(bytes: Uint8Array, what: string): JsonValue {
  if (!isUtf8(bytes)) throw malformed(`${what} is not UTF-8`);
  refuseExcess(bytes, what);
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()) as JsonValue;
  } catch {
    throw malformed(`${what} is not JSON`);
  }
}

const [QUOTE, COMMA, OPEN_LIST, BACKSLASH, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [
  0x22, 0x2c, 0x5b, 0x5c, 0x5d, 0x7b, 0x7d,
];

/** Refuses a document that takes far more memory than its bytes once it is parsed: 64 MiB of `[` are several GiB of lists. */
function refuseExcess(bytes: Uint8Array, what: string): void {
  let levels = 0;
  let containers = 0;
  let commas = 0;
  for (let at = 0; at < bytes.length; at++) {
    switch (bytes[at]) {
      case QUOTE:
        for (at++; at < bytes.length && bytes[at] !== QUOTE; at++) if (bytes[at] === BACKSLASH) at++;
        break;
      case OPEN_LIST:
      case OPEN_OBJECT:
        levels++;
        containers++;
        if (levels > MOST_LEVELS) throw malformed(`${what} has more than ${MOST_LEVELS} levels`);
        if (containers > MOST_CONTAINERS) throw malformed(`${what} has too many lists and objects`);
        break;
      case CLOSE_LIST:
      case CLOSE_OBJECT:
        levels--;
        break;
      case COMMA:
        commas++;
        if (commas > MOST_VALUES) throw malformed(`${what} has too many values`);
        break;
    }
  }
}

/** By code points, which is the order of their UTF-8; `<` compares UTF-16 code units, which differs beyond U+FFFF. */
export function compareCodePoints(one: string, other: string): number {
  const length = Math.min(one.length, other.length);
  for (let at = 0; at < length; at++) {
    const a = one.charCodeAt(at);
    const b = other.charCodeAt(at);
    if (a !== b) return rank(a) - rank(b);
  }
  return one.length - other.length;
}

/** A surrogate stands for a code point above all others. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

function write(value: JsonValue, parts: string[], level: number): void {
  if (level > MOST_LEVELS) throw malformed(`it has more than ${MOST_LEVELS} levels`);
  if (value === null || typeof value === 'boolean') {
    parts.push(String(value));
  } else if (typeof value === 'number') {
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) throw malformed(`${value} is no integer`);
    parts.push(String(value));
  } else if (typeof value === 'string') {
    parts.push(quoted(value));
  } else if (isArray(value)) {
    parts.push('[');
    value.forEach((element, at) => {
      if (at > 0) parts.push(',');
      write(element, parts, level + 1);
    });
    parts.push(']');
  } else {
    const keys = Object.keys(value)
      .filter((key) => value[key] !== undefined)
      .sort(compareCodePoints);
    parts.push('{');
    keys.forEach((key, at) => {
      parts.push(at > 0 ? ',' : '', quoted(key), ':');
      write(value[key]!, parts, level + 1);
    });
    parts.push('}');
  }
}

/** Array.isArray does not narrow a readonly array. */
function isArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function quoted(text: string): string {
  if (LONE_SURROGATE.test(text)) throw malformed('a text in it holds half of a surrogate pair');
  return `"${text.replace(ESCAPED, escaped)}"`;
}

function escaped(character: string): string {
  return SHORT[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function malformed(message: string): ReleaseError {
  return new ReleaseError(
    'malformed',
    message,
    'It was not written by dagmount, or was changed since: look who can write below the release root.',
  );
}
