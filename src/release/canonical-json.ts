import { isUtf8 } from 'node:buffer';
import { compareCodePoints } from './code-points.ts';
import { ReleaseError } from './release-error.ts';
import { type JsonBounds, type JsonForm, scanJson } from './scan-json.ts';

export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue | undefined };

/** Documents with more levels are refused; the deepest document of dagmount has four. */
const MOST_LEVELS = 16;
/**
 * Enough for a manifest of a million files, each with six fields. Without these bounds, parsing 64 MiB of `[`
 * would make several GiB of lists.
 */
const BOUNDS: JsonBounds = { levels: MOST_LEVELS, containers: 1_000_016, values: 8_000_000 };

/** Matches the quote, the backslash, and every character outside of 0x20 to 0x7e. */
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
 * Returns the canonical text of a value: keys in the order of their code points, no spaces, everything
 * outside of 0x20 to 0x7e as \uXXXX in lower case, with surrogate pairs. These are the bytes of Python's
 * `json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)`. JSON.stringify differs: it
 * leaves DEL and everything beyond ASCII as they are. Numbers must be integers that a double holds exactly. A
 * key whose value is undefined is left out.
 *
 * @throws {ReleaseError} `malformed` if the value has a lone surrogate, another number, or more than 16
 *   levels
 */
export function canonicalJson(value: JsonValue): string {
  const parts: string[] = [];
  write(value, parts, 0);
  return parts.join('');
}

/**
 * Parses canonical JSON. Refuses any other text of the same value. So every reader of these bytes, in any
 * language, reads the same value, however its parser treats a duplicate key.
 *
 * @param what the name of the document, for errors
 * @throws {ReleaseError} `malformed`
 */
export function parseCanonicalJson(bytes: Uint8Array, what: string): JsonValue {
  const { value, form } = parsed(bytes, what);
  if (form !== 'canonical') throw malformed(`${what} is not canonical JSON`);
  return value;
}

/**
 * Parses JSON in UTF-8, canonical or not, with as many levels and values as the bounds allow.
 *
 * @throws {ReleaseError} `malformed`
 */
export function parseJson(bytes: Uint8Array, what: string): JsonValue {
  return parsed(bytes, what).value;
}

function parsed(
  bytes: Uint8Array,
  what: string,
): { readonly value: JsonValue; readonly form: Exclude<JsonForm, 'too-much'> } {
  if (!isUtf8(bytes)) throw malformed(`${what} is not UTF-8`);
  const form = scanJson(bytes, BOUNDS);
  if (form === 'too-much') throw malformed(`${what} has more levels or values than any can have`);
  try {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
    return { value: JSON.parse(text) as JsonValue, form };
  } catch {
    throw malformed(`${what} is not JSON`);
  }
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
    'It was not written by dagmount, or was changed since: check which accounts can write below the release root.',
  );
}
