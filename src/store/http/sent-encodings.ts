import { LRUCache } from 'lru-cache';

/** The Accept-Encoding of a GET: `gzip` if the store would decompress the stored object otherwise. */
export type AcceptedEncoding = 'identity' | 'gzip';

const MOST_KEYS = 10_000;

/**
 * Remembers which objects the store decompresses before it sends them. Google's store does this with objects
 * of `Content-Encoding: gzip`, unless the request has `Accept-Encoding: gzip`. Only these objects are
 * requested with that header, because some proxies react to it by compressing uncompressed content.
 */
export class SentEncodings {
  readonly #gzip = new LRUCache<string, true>({ max: MOST_KEYS });

  of(key: string): AcceptedEncoding {
    return this.#gzip.has(key) ? 'gzip' : 'identity';
  }

  /**
   * Notes that a body was not as long as the object. The next request for the object asks for the other
   * encoding.
   */
  wasWrong(key: string, asked: AcceptedEncoding): void {
    if (asked === 'identity') this.#gzip.set(key, true);
    else this.#gzip.delete(key);
  }
}
