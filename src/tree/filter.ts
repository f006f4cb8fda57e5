import { PatternList } from './patterns.ts';

export interface FilterPatterns {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

export interface FilterVerdict {
  readonly shown: boolean;
  /** The list that decided; undefined for the root, and if no exclude matched and there are no includes. */
  readonly list: 'include' | 'exclude' | undefined;
  /** The pattern that decided, as the user wrote it; undefined if none matched. */
  readonly rule: string | undefined;
}

/** --include and --exclude: a path is shown if it matches an include (or there are none) and no exclude. */
export class PathFilter {
  /** True if there are no rules, so that every path is shown. */
  readonly showsAll: boolean;
  readonly #include: PatternList | undefined;
  readonly #exclude: PatternList | undefined;

  /** Throws TreeError `bad-pattern` if a pattern is invalid. */
  static compile(patterns: FilterPatterns): PathFilter {
    return new PathFilter(patterns);
  }

  private constructor({ include, exclude }: FilterPatterns) {
    this.#include = PatternList.compile(include);
    this.#exclude = PatternList.compile(exclude);
    this.showsAll = include.length === 0 && exclude.length === 0;
  }

  /**
   * Returns whether a path below the prefix is shown. A path with a slash at its end is that of a directory.
   * '' (the root) is always shown.
   */
  shows(path: string): boolean {
    return this.showsAll || this.#judge(Buffer.from(path)).shown;
  }

  /** Does the same as `shows`, for the bytes of a key. */
  showsKey(key: Uint8Array): boolean {
    return this.showsAll || this.#judge(key).shown;
  }

  /** Returns which rule shows or hides a path. */
  explain(path: string): FilterVerdict {
    return this.#judge(Buffer.from(path));
  }

  #judge(path: Uint8Array): FilterVerdict {
    if (path.length === 0) return { shown: true, list: undefined, rule: undefined };
    const excluded = this.#exclude?.match(path);
    if (excluded !== undefined) return { shown: false, list: 'exclude', rule: excluded };
    if (this.#include === undefined) return { shown: true, list: undefined, rule: undefined };
    const included = this.#include.match(path);
    return { shown: included !== undefined, list: 'include', rule: included };
  }
}
