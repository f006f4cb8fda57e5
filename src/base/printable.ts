/**
 * Makes foreign text safe for a terminal or a log. Every character that a terminal interprets or does not show
 * becomes an escape: `\n`, `\t`, `\x1b`, `\u202e`, `\u{e0041}`.
 *
 * - Cc: C0, DEL and C1, so ESC and the 8-bit CSI of every escape sequence.
 * - Cf, Default_Ignorable_Code_Point: bidirectional marks, zero-width characters, variation selectors, fillers, tags.
 * - Zl, Zp, and blanks that look like U+0020 or are invisible: two keys that differ must not look the same.
 * - Cs, Co and noncharacters: lone surrogates, and characters that each font shows differently.
 */
const UNSAFE =
  /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\u00a0\u1680\u2000-\u200a\u202f\u205f\u2800\u3000]/u;
const EACH_UNSAFE = new RegExp(UNSAFE.source, 'gu');
/** A backslash that looks like the beginning of an escape, or like half of one. */
const AMBIGUOUS = new RegExp(`\\\\(?=[\\\\ntux]|${UNSAFE.source})`, 'gu');

/**
 * The maximum number of characters of one piece of text, escapes included. A key of S3 has at most 1,024
 * bytes.
 */
const LENGTH = 8192;

/**
 * Returns foreign text on one line: at most `length` characters, and `…` if it was longer. Idempotent, so
 * each edge of the program may clean text that another edge has already cleaned.
 */
export function printable(text: string, length = LENGTH): string {
  // The rest of the text is not needed: each character becomes at least one character of the result.
  return bounded(cut(text, length).replace(EACH_UNSAFE, escaped), text, length);
}

/**
 * Returns a key, a path or another name on one line. Like `printable`, but different names stay different,
 * because a backslash that looks like the beginning of an escape is doubled. Must be applied once; applying
 * `printable` to the result changes nothing.
 */
export function printableName(name: string, length = LENGTH): string {
  const known = cut(name, length);
  return bounded(known.replace(AMBIGUOUS, '\\\\').replace(EACH_UNSAFE, escaped), name, length);
}

/** Cleans text of several lines: line ends and tabs stay. */
export function printableLines(text: string): string {
  return text.replace(EACH_UNSAFE, (character) =>
    character === '\n' || character === '\t' ? character : escaped(character),
  );
}

/**
 * Returns equivalent JSON text without characters that a terminal interprets: JSON.stringify escapes only C0.
 * Line ends stay, because outside of strings they are white space, and strings contain no line end.
 */
export function printableJson(json: string): string {
  return json.replace(EACH_UNSAFE, (character) =>
    character === '\n'
      ? character
      : Array.from({ length: character.length }, (_, at) => `\\u${hex(character.charCodeAt(at), 4)}`).join(
          '',
        ),
  );
}

/** Whether a text needs no escapes. */
export function isPrintable(text: string): boolean {
  return !UNSAFE.test(text);
}

function escaped(character: string): string {
  if (character === '\n') return '\\n';
  if (character === '\t') return '\\t';
  const code = character.codePointAt(0) as number;
  if (code < 0x100) return `\\x${hex(code, 2)}`;
  return code < 0x10000 ? `\\u${hex(code, 4)}` : `\\u{${hex(code, 1)}}`;
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0');
}

/** Returns at most `length` UTF-16 units of a text, without splitting a code point. */
function cut(text: string, length: number): string {
  if (text.length <= length) return text;
  const isSplit =
    /[\ud800-\udbff]/.test(text.charAt(length - 1)) && /[\udc00-\udfff]/.test(text.charAt(length));
  return text.slice(0, isSplit ? length - 1 : length);
}

/**
 * Bounds the cleaned form of a text, and marks a cut by `…`. Omits an escape that does not fit as a whole.
 */
function bounded(clean: string, text: string, length: number): string {
  if (clean.length <= length) return text.length <= length ? clean : `${clean}…`;
  const whole = cut(clean, length);
  return `${whole.replace(/\\(?:x[0-9a-f]?|u[0-9a-f]{0,3}|u\{[0-9a-f]*)?$/, '')}…`;
}
