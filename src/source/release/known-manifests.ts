import type { Manifest, ReleasePayload } from '../../release/index.ts';

type ManifestName = ReleasePayload['manifest'];

/** The maximum number of files in all kept manifests together. A file takes some 300 bytes in memory. */
const MOST_FILES = 100_000;

/**
 * Keeps the manifests that were read last, by their SHA-256 and size. A manifest never changes, so a
 * roll-back or a promotion to a recently shown release need not read its manifest from the store.
 */
export class KnownManifests {
  readonly #known = new Map<string, Manifest>();

  get(name: ManifestName): Manifest | undefined {
    const manifest = this.#known.get(keyOf(name));
    if (manifest !== undefined) this.keep(name, manifest);
    return manifest;
  }

  /**
   * Keeps a manifest. If there are too many files, drops the least recently used manifests first. Does not
   * keep a manifest that alone is too large.
   */
  keep(name: ManifestName, manifest: Manifest): void {
    const key = keyOf(name);
    this.#known.delete(key);
    if (manifest.files.length > MOST_FILES) return;
    this.#known.set(key, manifest);
    let files = [...this.#known.values()].reduce((sum, each) => sum + each.files.length, 0);
    for (const [oldest, each] of this.#known) {
      if (files <= MOST_FILES) break;
      this.#known.delete(oldest);
      files -= each.files.length;
    }
  }
}

function keyOf({ sha256, size }: ManifestName): string {
  return `${sha256} ${size}`;
}
