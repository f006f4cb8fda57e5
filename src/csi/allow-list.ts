import { parseS3Address } from '../config/s3-address.ts';

const BELOW = '/**';

/**
 * The sources that volumes may show. Any author of a pod can declare an inline volume, which uses the node's
 * credentials: without a list, every author could read all that the node can.
 */
export class AllowList {
  /** The canonical address of each pattern, without `**`. */
  readonly #exact = new Set<string>();
  readonly #below: string[] = [];

  /** `s3://BUCKET/PREFIX`, or `s3://BUCKET/PREFIX/**` with all below it. Throws ConfigError for an invalid address. */
  constructor(patterns: readonly string[]) {
    for (const pattern of patterns) {
      const isTree = pattern.endsWith(BELOW);
      const { source } = parseS3Address(isTree ? pattern.slice(0, -BELOW.length) : pattern);
      this.#exact.add(source);
      if (isTree) this.#below.push(source);
    }
  }

  /** `source`: canonical, as parseS3Address gives it. */
  allows(source: string): boolean {
    return this.#exact.has(source) || this.#below.some((folder) => source.startsWith(folder));
  }
}
