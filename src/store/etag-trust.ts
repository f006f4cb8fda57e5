/**
 * If the ETags of this many objects differ between listing and GET, the store has two kinds of ETag. In a
 * tree with fewer files, all of its files must differ.
 */
const ENOUGH = 3;
/**
 * In a tree with fewer than ENOUGH files, each file must differ this many times, each time between two equal
 * listings.
 */
const ENOUGH_TIMES = 2;
/** The maximum number of paths that are remembered. */
const MOST_NOTED = 64;

/**
 * Decides whether this store's listings and its answers to GET have the same ETags. If the two ETags of one
 * object differ, the object was replaced after it was listed. If they differ for several objects, and the
 * listings before and after are equal, no object was replaced: then the listings have their own ETags, as
 * with some gateways and with stores that encrypt.
 */
export class EtagTrust {
  readonly #onOwn: () => void;
  /**
   * For each path, how often its ETag differed between two equal listings, since the listing last changed.
   */
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

  /** Whether listings have their own ETags. Such an ETag says nothing about the ETag of GET. */
  get own(): boolean {
    return this.#own;
  }

  /** Sets the number of files in the tree that have content. */
  expect(files: number): void {
    this.#files = files;
  }

  /**
   * Notes that GET returned an object with the listed size and date, and with another ETag than the listing
   * has for this path.
   */
  differs(path: string): void {
    if (!this.#own && this.#noted.size < MOST_NOTED) this.#noted.add(path);
  }

  /** Paths for which {@link differs} was called since the last listing began. */
  get noted(): ReadonlySet<string> {
    return this.#noted;
  }

  /**
   * Notes that a listing begins. Returns the paths that differed before, which must be passed to
   * {@link listed}.
   */
  listing(): ReadonlySet<string> {
    const noted = this.#noted;
    this.#noted = new Set();
    return noted;
  }

  /**
   * Notes that a listing ended, whose content has this digest. `before`: the paths that differed before it
   * began. Paths that differed later do not count, because their objects may have changed without this
   * listing showing it.
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
