/** Revalidations in a row in which an object arrived damaged: from the next one on it is waited for no more. */
const MOST_TRIES = 2;

/**
 * Paths whose objects arrived damaged when they were to be published. An object that always does must not keep everything else
 * from being published: it is tried in three revalidations, then shown all the same, and reading it fails.
 */
export class Damage {
  #tries: ReadonlyMap<string, number> = new Map();
  #present = new Map<string, number>();

  /** The next revalidation begins: paths that did not come up again in the last one are forgotten. */
  next(): void {
    if (this.#present.size > 0) this.#tries = this.#present;
    this.#present = new Map();
  }

  /** It arrived damaged; returns whether it is waited for no more. */
  found(path: string): boolean {
    const tries = this.#tries.get(path) ?? 0;
    this.#present.set(path, tries + 1);
    return tries >= MOST_TRIES;
  }

  /** A tree was published. */
  clear(): void {
    this.#tries = new Map();
    this.#present = new Map();
  }
}
