import { LRUCache } from 'lru-cache';

/** What a GET says that it takes: `gzip` where the store would unpack what it has stored. */
export type AcceptedEncoding = 'identity' | 'gzip';

const MOST_KEYS = 10_000;

/**
 * Which objects the store unpacks before it sends them, as Google's does with objects of `Content-Encoding: gzip`; asked
 * with `Accept-Encoding: gzip` it sends them as they are stored. It is asked so for these objects alone: proxies answer it
 * by packing what is not packed.
 */
export class SentEncodings {
  readonly #gzip = new LRUCache<string, true>({ max: MOST_KEYS });

  of(key: string): AcceptedEncoding {
    return this.#gzip.has(key) ? 'gzip' : 'identity';
  }

  /** What came is not as long as the object: the other way may be right, until that is wrong too. */
  wasWrong(key: string, asked: AcceptedEncoding): void {
    if (asked === 'identity') this.#gzip.set(key, true);
    else this.#gzip.delete(key);
  }
}
