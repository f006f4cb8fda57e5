/**
 * This many objects whose ETags differ between listing and GET prove that the store has two kinds of ETag. A
 * smaller tree needs all of its files to differ.
 */
const ENOUGH = 3;
/**
 * In a tree with fewer than ENOUGH files, each file must differ this many times, each time between two equal
 * listings.
 */
const ENOUGH_TIMES = 2;
/** Bound on the remembered paths. */
const MOST_NOTED = 64;

/**
 * Decides whether this store's listings and its answers to GET have the same ETags. One object that differs was
 * replaced after it was listed. If several differ and the listings before and after are equal, nothing was
 * replaced: the listings have their own ETags, as with some gateways and with stores that encrypt.
 */
export class EtagTrust {
  readonly #onOwn: () => void;
  /** By path: how many spans between two equal listings its ETag differed in, since the listing last changed. */
  readonly #differing = new Map<string, number>();
  /** Paths that differed since the last listing began. */
  #noted = new Set<string>();
  #digest: string | undefined;
  #own = false;
  #files = ENOUGH;

  /** `onOwn` is called when the listings are found to have ETags of their own. */
  constructor(onOwn: () => void = () => undefined) {
    this.#onOwn = onOwn;
  }

  /** Restores the finding of an earlier process of this mount: listings have their own ETags. */
  assumeOwn(): void {
    this.#own = true;
  }

  /** Whether listings have their own ETags, which then say nothing about the ETag of GET. */
  get own(): boolean {
    return this.#own;
  }

  /** Sets the number of files in the tree that have content. */
  expect(files: number): void {
    this.#files = files;
  }

  /** Notes that an object with the listed size and date had another ETag. */
  differs(path: string): void {
    if (!this.#own && this.#noted.size < MOST_NOTED) this.#noted.add(path);
  }

  /** Unexplained paths that differed since the last listing began. */
  get noted(): ReadonlySet<string> {
    return this.#noted;
  }

  /** A listing begins. Pass the result to {@link listed}. */
  listing(): ReadonlySet<string> {
    const noted = this.#noted;
    this.#noted = new Set();
    return noted;
  }

  /**
   * A listing ended. `before`: the paths that differed before it began. A later difference may be a change that
   * the listing does not show.
   */
  listed(digest: string, before: ReadonlySet<string>): void {
    if (this.#own) return;
    if (digest !== this.#digest) {
      this.#digest = digest;
      this.#differing.clear();
      return;
    }
    for (const path of before) this.#differing.set(path, (this.#differing.get(path) ?? 0) + 1);
    if (!this.#isEnough()) return;
    this.#own = true;
    this.#differing.clear();
    this.#onOwn();
  }

  #isEnough(): boolean {
    if (this.#files >= ENOUGH) return this.#differing.size >= ENOUGH;
    const times = [...this.#differing.values()].filter((count) => count >= ENOUGH_TIMES).length;
    return this.#files > 0 && times >= this.#files;
  }
}
