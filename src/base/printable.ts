/**
 * Text of others on its way to a terminal or a log. Everything that a terminal obeys instead of showing it, and everything that
 * it does not show at all, becomes an escape: `\n`, `\t`, `\x1b`, `\u202e`, `\u{e0041}`.
 *
 * - Cc: C0, DEL and C1, so ESC and the 8-bit CSI of every escape sequence.
 * - Cf, Default_Ignorable_Code_Point: bidirectional marks, zero-width characters, variation selectors, fillers, tags.
 * - Zl, Zp, and blanks that look like U+0020 or like nothing: two keys that differ must not look the same.
 * - Cs, Co and noncharacters: lone surrogates, and what each font shows as it likes.
 */
const UNSAFE =
  /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\u00a0\u1680\u2000-\u200a\u202f\u205f\u2800\u3000]/u;
const EACH_UNSAFE = new RegExp(UNSAFE.source, 'gu');
/** A backslash that would be read as the beginning of an escape, or as half of one. */
const AMBIGUOUS = new RegExp(`\\\\(?=[\\\\ntux]|${UNSAFE.source})`, 'gu');

/** Characters of one piece of text, escapes included; a key of S3 has at most 1,024 bytes. */
const LENGTH = 8192;

/**
 * A sentence of others on one line, at most `length` characters and `…`. Text that was cleaned before stays as it is, so that
 * each edge may clean without knowing whether another one has.
 */
export function printable(text: string, length = LENGTH): string {
  // More than that is not looked at: each character is at least one of the result.
  return bounded(cut(text, length).replace(EACH_UNSAFE, escaped), text, length);
}

/**
 * A key, a path or another name on one line. As `printable`, but no two names come out the same: a backslash that could be
 * taken for the beginning of an escape is doubled. To be used once: cleaning its result again with `printable` changes nothing.
 */
export function printableName(name: string, length = LENGTH): string {
  const known = cut(name, length);
  return bounded(known.replace(AMBIGUOUS, '\\\\').replace(EACH_UNSAFE, escaped), name, length);
}

/** Text of several lines: line ends and tabs stay. */
export function printableLines(text: string): string {
  return text.replace(EACH_UNSAFE, (character) =>
    character === '\n' || character === '\t' ? character : escaped(character),
  );
}

/**
 * JSON text with the same meaning, in which nothing is left that a terminal obeys: JSON.stringify escapes C0 alone. Line ends
 * stay: outside of strings they are white space, and inside of strings there are none.
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

/** Whether there is nothing to be escaped in a text. */
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

/** At most `length` UTF-16 units, no code point split. */
function cut(text: string, length: number): string {
  if (text.length <= length) return text;
  const isSplit =
    /[\ud800-\udbff]/.test(text.charAt(length - 1)) && /[\udc00-\udfff]/.test(text.charAt(length));
  return text.slice(0, isSplit ? length - 1 : length);
}

/** An escape that does not fit is left away as a whole. */
function bounded(clean: string, text: string, length: number): string {
  if (clean.length <= length) return text.length <= length ? clean : `${clean}…`;
  const whole = cut(clean, length);
  return `${whole.replace(/\\(?:x[0-9a-f]?|u[0-9a-f]{0,3}|u\{[0-9a-f]*)?$/, '')}…`;
}
