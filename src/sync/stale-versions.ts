/**
 * Versions that one revalidation found changed or gone. If a newer listing still has such a version and it is found
 * so again, the object is not changing faster than it can be listed.
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
