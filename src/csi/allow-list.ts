import { parseS3Address } from '../config/s3-address.ts';

const BELOW = '/**';

/**
 * The sources that volumes may show. Any author of a pod can declare an inline volume, and the volume uses
 * the node's credentials. Without this list, every author could read all that the node can.
 */
export class AllowList {
  /** The canonical address of each pattern, without `**`. */
  readonly #exact = new Set<string>();
  readonly #below: string[] = [];

  /**
   * Each pattern is `s3://BUCKET/PREFIX`, or `s3://BUCKET/PREFIX/**` for all sources below that, too. Throws
   * ConfigError for an invalid address.
   */
  constructor(patterns: readonly string[]) {
    for (const pattern of patterns) {
      const isTree = pattern.endsWith(BELOW);
      const { source } = parseS3Address(isTree ? pattern.slice(0, -BELOW.length) : pattern);
      this.#exact.add(source);
      if (isTree) this.#below.push(source);
    }
  }

  /** Returns whether volumes may show a source. `source` must be canonical, as parseS3Address returns it. */
  allows(source: string): boolean {
    return this.#exact.has(source) || this.#below.some((folder) => source.startsWith(folder));
  }
}
