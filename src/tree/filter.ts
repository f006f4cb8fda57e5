import ignore, { type Ignore } from 'ignore';
import { TreeError } from './tree-error.ts';

/** `ignore` remembers every path that it was asked about: it is renewed after so many. */
const REMEMBERED_PATHS = 10_000;

export interface FilterPatterns {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

export interface FilterVerdict {
  readonly shown: boolean;
  /** The list that decided; undefined where there are no rules that did. */
  readonly list: 'include' | 'exclude' | undefined;
  /** The pattern that decided, as it was given; undefined where no include matched, or none was needed. */
  readonly rule: string | undefined;
}

/**
 * --include and --exclude: gitignore patterns on the path below the prefix. Shown is what matches an include
 * (or none is given) and no exclude.
 *
 * Compared by bytes, as git itself does: case counts, NFC and NFD are two names, and `?` and `[...]` stand for
 * one byte, so that `?.py` does not match `é.py` (two bytes) while `*.py`, `é.py` and `??.py` do.
 */
export class PathFilter {
  /** No rules: every path is shown. */
  readonly showsAll: boolean;
  readonly #include: RuleList | undefined;
  readonly #exclude: RuleList | undefined;

  /** Throws TreeError `bad-pattern`. */
  static compile(patterns: FilterPatterns): PathFilter {
    return new PathFilter(patterns);
  }

  private constructor({ include, exclude }: FilterPatterns) {
    this.#include = include.length === 0 ? undefined : new RuleList(include);
    this.#exclude = exclude.length === 0 ? undefined : new RuleList(exclude);
    this.showsAll = include.length === 0 && exclude.length === 0;
  }

  /** A path below the prefix; with a slash at its end it is a directory. '' (the root) is always shown. */
  shows(path: string): boolean {
    return this.showsAll || this.#judge(Buffer.from(path)).shown;
  }

  /** As `shows`, for the bytes of a key. */
  showsKey(key: Uint8Array): boolean {
    return this.showsAll || this.#judge(key).shown;
  }

  /** Which rule shows or hides a path. */
  explain(path: string): FilterVerdict {
    return this.#judge(Buffer.from(path));
  }

  #judge(key: Uint8Array): FilterVerdict {
    if (key.length === 0) return { shown: true, list: undefined, rule: undefined };
    const path = byteText(key);
    const excluded = this.#exclude?.match(path);
    if (excluded !== undefined) return { shown: false, list: 'exclude', rule: excluded };
    if (this.#include === undefined) return { shown: true, list: undefined, rule: undefined };
    const included = this.#include.match(path);
    return { shown: included !== undefined, list: 'include', rule: included };
  }
}

class RuleList {
  readonly #patterns: readonly string[];
  readonly #rules: Ignore;
  #matcher: Ignore;
  #asked = 0;

  constructor(patterns: readonly string[]) {
    this.#patterns = patterns;
    this.#rules = newMatcher();
    patterns.forEach((pattern, index) => {
      checkPattern(pattern);
      this.#rules.add({ pattern: byteText(Buffer.from(pattern)), mark: String(index) });
    });
    this.#matcher = newMatcher().add(this.#rules);
  }

  /** The pattern that matches the path, or a directory above it. */
  match(path: string): string | undefined {
    this.#asked++;
    if (this.#asked > REMEMBERED_PATHS) {
      this.#asked = 0;
      this.#matcher = newMatcher().add(this.#rules);
    }
    const { ignored, rule } = this.#matcher.test(path);
    return ignored ? (this.#patterns[Number(rule?.mark)] ?? '') : undefined;
  }
}

function newMatcher(): Ignore {
  return ignore({ ignoreCase: false, allowRelativePaths: true });
}

/** A pattern that is no rule would make an --include hide everything in silence. */
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
 * One character a byte. Bytes from 0x80 become U+4E80 to U+4EFF, in order: characters that no pattern syntax,
 * white space rule or case rule knows, as Latin-1's own would (0xA0 is a space to JavaScript).
 */
function byteText(bytes: Uint8Array): string {
  let text = '';
  let ascii = true;
  for (const byte of bytes) if (byte > 0x7f) ascii = false;
  if (ascii) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  for (const byte of bytes) text += String.fromCharCode(byte > 0x7f ? 0x4e00 + byte : byte);
  return text;
}
