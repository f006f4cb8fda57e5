import { parseS3Address } from '../config/s3-address.ts';

const BELOW = '/**';

/**
 * The sources that volumes may show. Every author of a pod can write an inline volume, with the credentials of the node:
 * without a list, each could read all that the node can.
 */
export class AllowList {
  /** Canonical addresses; of all folders below, with `**` at the end. */
  readonly #exact = new Set<string>();
  readonly #below: string[] = [];

  /** `s3://BUCKET/PREFIX`, or `s3://BUCKET/PREFIX/**` with all below it. Throws ConfigError for what is no address. */
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
