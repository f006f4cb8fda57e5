/** So many objects with different ETags by listing and by GET prove that the store has two kinds. In a smaller tree: all files. */
const ENOUGH = 3;
/** In a tree with fewer files than that, each must differ so often, each time between two equal listings. */
const ENOUGH_TIMES = 2;
/** Bound on the paths that are remembered. */
const MOST_NOTED = 64;

/**
 * Whether the ETags of this store's listings are those of its answers to GET. Where one differs, the object was replaced
 * after it was listed; where several do, and a listing before and one after are equal, nothing was: then the store's
 * listings have ETags of their own, as those of some gateways and of stores that encrypt.
 */
export class EtagTrust {
  readonly #onOwn: () => void;
  /** By path: the spans between two equal listings in which its ETag differed, since the listing last changed. */
  readonly #differing = new Map<string, number>();
  /** Differed since the last listing began. */
  #noted = new Set<string>();
  #digest: string | undefined;
  #own = false;
  #files = ENOUGH;

  /** `onOwn` is called when the listings are found to have ETags of their own. */
  constructor(onOwn: () => void = () => undefined) {
    this.#onOwn = onOwn;
  }

  /** An earlier process of this mount found that the listings have ETags of their own. */
  assumeOwn(): void {
    this.#own = true;
  }

  /** Whether listings have ETags of their own, so that those say nothing about what GET gives. */
  get own(): boolean {
    return this.#own;
  }

  /** The files of the tree that have content. */
  expect(files: number): void {
    this.#files = files;
  }

  /** An object of the listed size and date came with another ETag. */
  differs(path: string): void {
    if (!this.#own && this.#noted.size < MOST_NOTED) this.#noted.add(path);
  }

  /** What differed since the last listing began, where that is not explained yet. */
  get noted(): ReadonlySet<string> {
    return this.#noted;
  }

  /** A listing begins: what it returns is to be given to {@link listed}. */
  listing(): ReadonlySet<string> {
    const noted = this.#noted;
    this.#noted = new Set();
    return noted;
  }

  /** A listing ended. `before`: the paths that differed before it began; a later difference may be a change that it does not show. */
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
