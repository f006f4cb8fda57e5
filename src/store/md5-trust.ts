/** Whether content may pass whose MD5 is `found`, where its ETag is `etag`. */
export type Md5Check = (found: string, etag: string) => boolean;

/** Objects of which none has its MD5 as its ETag, after which ETags of this store count as none. */
const ENOUGH = 8;
/** In a smaller tree so often each of its files must have come, with the same bytes each time. */
const ENOUGH_TIMES = 2;
/** A tree of one file cannot tell a damaged object from a store whose ETags are no MD5s. */
const FEWEST_FILES = 2;

interface Differing {
  readonly found: string;
  readonly etag: string;
  readonly times: number;
}

/**
 * Whether this store's ETags are MD5s of the content, where they look like it. They are taken for it until of eight
 * objects, whose length is right, none was, and again as soon as one is. One damaged object among others changes nothing.
 */
export class Md5Trust {
  readonly #onChange: (trusted: boolean) => void;
  /** By key; none is added once enough are known. */
  readonly #differing = new Map<string, Differing>();
  #matched = false;
  #trusted = true;
  #files = Number.POSITIVE_INFINITY;

  /** `onChange` is called when the ETags are found to be no MD5s, or to be MD5s again. */
  constructor(onChange: (trusted: boolean) => void = () => undefined) {
    this.#onChange = onChange;
  }

  /** The server before this one found that they are none. */
  assumeNone(): void {
    this.#trusted = false;
  }

  get trusted(): boolean {
    return this.#trusted;
  }

  /** The files of the tree whose content could be held against an MD5. */
  expect(files: number): void {
    this.#files = files;
  }

  /** The check of one object. Only content of the right length may be held against it. */
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

  /** Content that comes otherwise each time is damaged on its way, and says nothing about ETags. */
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
