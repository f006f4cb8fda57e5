/**
 * Versions that one revalidation found not to be in the store as they were listed. A version that is found so twice, with
 * a newer listing in between which still has it, does not change faster than it can be listed.
 */
export class StaleVersions {
  readonly #found = new Set<string>();

  /** Returns whether it was found so before. */
  found(name: string): boolean {
    const again = this.#found.has(name);
    this.#found.add(name);
    return again;
  }
}
