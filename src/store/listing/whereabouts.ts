import { hash } from 'node:crypto';
import { corrupt, quotedKey } from './errors.ts';
import { MAX_KEY_BYTES } from './key.ts';

/**
 * The maximum number of empty pages in a row. S3 may send pages without objects (behind many delete markers),
 * but not endlessly.
 */
const MAX_EMPTY_PAGES = 100;

/**
 * Detects a listing that loops. For this it remembers a few bytes of each page: a hash of its first key and
 * token.
 */
export class Whereabouts {
  readonly #prefix: string;
  readonly #tokens = new Set<string>();
  readonly #firstKeys = new Set<string>();
  #emptyPages = 0;

  /** @param prefix the prefix of the keys, for errors */
  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /**
   * Notes that a page was read. `firstKey`: its first key, below the prefix; undefined if the page was empty.
   */
  page(firstKey: Uint8Array | undefined): void {
    this.#emptyPages = firstKey === undefined ? this.#emptyPages + 1 : 0;
    if (this.#emptyPages > MAX_EMPTY_PAGES)
      throw corrupt(`the listing has ${this.#emptyPages} consecutive pages without an object`);
    // A key that was cut may be the beginning of several keys.
    const isWhole = firstKey !== undefined && firstKey.length <= MAX_KEY_BYTES;
    if (isWhole && !isNew(this.#firstKeys, firstKey)) throw this.comesBackTo(firstKey);
  }

  token(token: string): void {
    if (!isNew(this.#tokens, token)) throw corrupt('the listing loops: a continuation token is repeated');
  }

  comesBackTo(key: Uint8Array): Error {
    return corrupt(`the listing loops: it returns to the key ${quotedKey(Buffer.from(this.#prefix), key)}`);
  }
}

function isNew(seen: Set<string>, value: string | Uint8Array): boolean {
  const { size } = seen;
  seen.add(hash('sha256', value, 'base64').slice(0, 24));
  return seen.size > size;
}
