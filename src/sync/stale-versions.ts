/**
 * The versions that one revalidation found changed or gone. If a newer listing still has such a version, and
 * a fetch finds it changed or gone again, then the object is not changing faster than it can be listed.
 */
export class StaleVersions {
  readonly #found = new Set<string>();

  /** Records that a version was found changed or gone. Returns whether that was recorded before. */
  found(name: string): boolean {
    const again = this.#found.has(name);
    this.#found.add(name);
    return again;
  }
}
