/** Whether content with the MD5 `found` is acceptable for an object with this ETag. */
export type Md5Check = (found: string, etag: string) => boolean;

/**
 * If the content of this many objects has another MD5 than its ETag, and that of none has the same, the
 * store's ETags are not MD5s.
 */
const ENOUGH = 8;
/** In a tree with fewer files, all of them must differ this many times, with the same bytes each time. */
const ENOUGH_TIMES = 2;
/** A tree of one file cannot tell a damaged object from a store whose ETags are no MD5s. */
const FEWEST_FILES = 2;

interface Differing {
  readonly found: string;
  readonly etag: string;
  readonly times: number;
}

/**
 * Decides whether this store's ETags that look like an MD5 are the MD5 of the content. They are trusted until
 * eight objects of the right length differ and none matches, or until all files of a smaller tree differ
 * twice. They are trusted again as soon as one object matches. One damaged object among others changes
 * nothing.
 */
export class Md5Trust {
  readonly #onChange: (trusted: boolean) => void;
  /** The objects that differed, by key. Nothing is added once the ETags are known to be MD5s or not to be. */
  readonly #differing = new Map<string, Differing>();
  #matched = false;
  #trusted = true;
  #files = Number.POSITIVE_INFINITY;

  /** `onChange` is called when the ETags are found to be no MD5s, or to be MD5s again. */
  constructor(onChange: (trusted: boolean) => void = () => undefined) {
    this.#onChange = onChange;
  }

  /** Restores the finding of the previous server: ETags are not MD5s. */
  assumeNone(): void {
    this.#trusted = false;
  }

  get trusted(): boolean {
    return this.#trusted;
  }

  /** Sets the number of files in the tree whose content can be compared with an MD5. */
  expect(files: number): void {
    this.#files = files;
  }

  /** Returns the check for one object. Call the check only for content of the right length. */
  of(key: string): Md5Check {
    return (found, etag) => {
      if (found === etag) this.#matches();
      else this.#differs(key, found, etag);
      return found === etag || !this.#trusted;
    };
  }

  #matches(): void {
    this.#matched = true;
    this.#differing.clear();
    this.#turn(true);
  }

  #differs(key: string, found: string, etag: string): void {
    if (this.#matched || !this.#trusted) return;
    const before = this.#differing.get(key);
    const same = before?.found === found && before.etag === etag;
    this.#differing.set(key, { found, etag, times: same ? before.times + 1 : 1 });
    if (this.#differing.size >= ENOUGH || this.#isWholeTree()) this.#turn(false);
  }

  /**
   * Whether all files of a small tree differed, with the same bytes each time. Content with other bytes in
   * each download was damaged in transit, and says nothing about ETags.
   */
  #isWholeTree(): boolean {
    const { size } = this.#differing;
    if (size < FEWEST_FILES || size < this.#files) return false;
    return [...this.#differing.values()].every(({ times }) => times >= ENOUGH_TIMES);
  }

  #turn(trusted: boolean): void {
    if (this.#trusted === trusted) return;
    this.#trusted = trusted;
    this.#differing.clear();
    this.#onChange(trusted);
  }
}
