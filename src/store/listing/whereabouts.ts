import { hash } from 'node:crypto';
import { corrupt, quotedKey } from './errors.ts';
import { MAX_KEY_BYTES } from './key.ts';

/** S3 may send pages without objects (behind many delete markers), but not endlessly. */
const MAX_EMPTY_PAGES = 100;

/** Detects a listing that loops: remembers some bytes of each page. */
export class Whereabouts {
  readonly #prefix: string;
  readonly #tokens = new Set<string>();
  readonly #firstKeys = new Set<string>();
  #emptyPages = 0;

  /** @param prefix of the keys, for errors */
  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** A page was read; `firstKey` is its first key below the prefix; undefined: the page was empty. */
  page(firstKey: Uint8Array | undefined): void {
    this.#emptyPages = firstKey === undefined ? this.#emptyPages + 1 : 0;
    if (this.#emptyPages > MAX_EMPTY_PAGES)
      throw corrupt(`the listing has ${this.#emptyPages} consecutive pages without an object`);
    // A cut key may be the beginning of other keys.
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
