import ignore, { type Ignore } from 'ignore';
import { TreeError } from './tree-error.ts';

/** The matcher is replaced after this many paths: the library `ignore` caches every path that it tests. */
const REMEMBERED_PATHS = 10_000;

/**
 * A list of gitignore patterns, matched against paths below the prefix.
 *
 * Patterns and paths are compared by bytes, as git itself does: case counts, NFC and NFD are two names, and
 * `?` and `[...]` stand for one byte, so that `?.py` does not match `é.py` (two bytes) while `*.py`, `é.py`
 * and `??.py` do.
 */
export class PatternList {
  readonly #patterns: readonly string[];
  readonly #rules: Ignore;
  #matcher: Ignore;
  #asked = 0;

  /** Returns undefined if there are no patterns. Throws TreeError `bad-pattern` if one is invalid. */
  static compile(patterns: readonly string[]): PatternList | undefined {
    return patterns.length === 0 ? undefined : new PatternList(patterns);
  }

  private constructor(patterns: readonly string[]) {
    this.#patterns = patterns;
    this.#rules = newMatcher();
    patterns.forEach((pattern, index) => {
      checkPattern(pattern);
      this.#rules.add({ pattern: byteText(Buffer.from(pattern)), mark: String(index) });
    });
    this.#matcher = newMatcher().add(this.#rules);
  }

  /**
   * Returns the pattern that matches `path` or a directory above it; undefined if none does. `path` must not
   * be empty.
   */
  match(path: Uint8Array): string | undefined {
    this.#asked++;
    if (this.#asked > REMEMBERED_PATHS) {
      this.#asked = 0;
      this.#matcher = newMatcher().add(this.#rules);
    }
    const { ignored, rule } = this.#matcher.test(byteText(path));
    return ignored ? (this.#patterns[Number(rule?.mark)] ?? '') : undefined;
  }
}

function newMatcher(): Ignore {
  return ignore({ ignoreCase: false, allowRelativePaths: true });
}

/** Throws for a pattern that is not a rule: it would make an --include silently hide everything. */
function checkPattern(pattern: string): void {
  const text = pattern.replace(/^!/, '');
  const reason =
    text.trim() === '' || text === '/'
      ? 'it is empty'
      : pattern.startsWith('#')
        ? 'it is a comment; write \\# for a name that begins with #'
        : /[\0\n\r]/.test(pattern)
          ? 'it holds a line break or a NUL'
          : /(?:^|[^\\])(?:\\\\)*\\$/.test(pattern)
            ? 'it ends in a backslash that escapes nothing'
            : undefined;
  if (reason !== undefined)
    throw new TreeError('bad-pattern', `pattern ${JSON.stringify(pattern)}: ${reason}`);
}

/**
 * Returns the bytes as text, one character a byte. Bytes from 0x80 become U+4E80 to U+4EFF, in order: the
 * rules for patterns, white space and case do not apply to these characters. They would apply to the
 * characters of Latin-1 (0xA0 is a space to JavaScript).
 */
function byteText(bytes: Uint8Array): string {
  let text = '';
  let ascii = true;
  for (const byte of bytes) if (byte > 0x7f) ascii = false;
  if (ascii) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  for (const byte of bytes) text += String.fromCharCode(byte > 0x7f ? 0x4e00 + byte : byte);
  return text;
}
