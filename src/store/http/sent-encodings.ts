import { LRUCache } from 'lru-cache';

/** The Accept-Encoding of a GET: `gzip` if the store would otherwise decompress the stored object. */
export type AcceptedEncoding = 'identity' | 'gzip';

const MOST_KEYS = 10_000;

/**
 * Remembers which objects the store decompresses before it sends them, as Google's does with objects of
 * `Content-Encoding: gzip`. With `Accept-Encoding: gzip` it sends them as stored. Only these objects are
 * requested so: proxies react to the header by compressing uncompressed content.
 */
export class SentEncodings {
  readonly #gzip = new LRUCache<string, true>({ max: MOST_KEYS });

  of(key: string): AcceptedEncoding {
    return this.#gzip.has(key) ? 'gzip' : 'identity';
  }

  /** The body was not as long as the object: try the other encoding, until that is wrong too. */
  wasWrong(key: string, asked: AcceptedEncoding): void {
    if (asked === 'identity') this.#gzip.set(key, true);
    else this.#gzip.delete(key);
  }
}
