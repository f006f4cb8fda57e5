import type { Manifest, ReleasePayload } from '../../release/index.ts';

type ManifestName = ReleasePayload['manifest'];

/** The most files in all kept manifests: some 300 bytes each in memory. */
const MOST_FILES = 100_000;

/**
 * The manifests that were read last, by their SHA-256 and size. They never change, so that a roll-back or a promotion
 * to a recently shown release reads none from the store.
 */
export class KnownManifests {
  readonly #known = new Map<string, Manifest>();

  get(name: ManifestName): Manifest | undefined {
    const manifest = this.#known.get(keyOf(name));
    if (manifest !== undefined) this.keep(name, manifest);
    return manifest;
  }

  /** Drops the least recently used manifests first. A manifest that alone is too large is not kept. */
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
