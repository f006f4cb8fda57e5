import type { FetchPage, PageQuery } from '../../src/store/listing/page-reader.ts';
import { answer, escapedOnly, type StoredObject, urlEncoded } from './list-answers.ts';

export interface FakeStoreOptions {
  readonly pageKeys?: number;
  /** The order of its listing; default: that of the bytes. */
  readonly order?: (left: string, right: string) => number;
  /** Where the next page begins: after the last key in the store's order (default), or at the next greater bytes. */
  readonly goesOn?: 'in-its-order' | 'in-byte-order';
  /** False: keys are written as they are, and there is no EncodingType. */
  readonly encodes?: boolean;
  /** How it says that its listing continues; default: by IsTruncated and a token, as S3 does. */
  readonly says?: 'both' | 'truncated' | 'nothing';
  /** Whether it honours StartAfter; default true. */
  readonly startsAfter?: boolean;
  /** How it answers a request for more keys than a page has; default: with one page. */
  readonly manyKeys?: 'page' | 'all' | 'refuse';
}

/** A bucket in memory that lists as real stores do, rightly or wrongly. Keys are ASCII. */
export class FakeListingStore {
  readonly requests: PageQuery[] = [];
  /** Called before each answer with the number of requests before it. */
  beforeAnswer: (request: number, query: PageQuery, signal: AbortSignal) => Promise<void> | void = () =>
    undefined;
  /** Called with each answer; may return another one. */
  onAnswer: (bytes: Buffer, request: number) => Buffer = (bytes) => bytes;
  options: FakeStoreOptions;
  refusal: (() => Error) | undefined;
  inFlight = 0;
  mostInFlight = 0;
  readonly #objects = new Map<string, StoredObject>();

  constructor(keys: readonly string[], options: FakeStoreOptions = {}) {
    this.options = options;
    for (const key of keys) this.put(key);
  }

  put(key: string, size = key.length): void {
    this.#objects.set(key, {
      key: Buffer.from(key),
      size,
      lastModified: 1_700_000_000_000,
      etag: `e${size}`,
    });
  }

  delete(key: string): void {
    this.#objects.delete(key);
  }

  keys(prefix: string): readonly string[] {
    return [...this.#objects.keys()]
      .filter((key) => key.startsWith(prefix))
      .sort(this.options.order ?? byBytes);
  }

  readonly fetchPage: FetchPage = async (query, signal) => {
    const request = this.requests.push(query) - 1;
    this.inFlight++;
    this.mostInFlight = Math.max(this.mostInFlight, this.inFlight);
    try {
      await this.beforeAnswer(request, query, signal);
      await Promise.resolve();
      signal.throwIfAborted();
      return this.onAnswer(this.#answer(query), request);
    } finally {
      this.inFlight--;
    }
  };

  #answer(query: PageQuery): Buffer {
    const {
      pageKeys = 10,
      order = byBytes,
      goesOn = 'in-its-order',
      manyKeys = 'page',
      encodes = true,
      says = 'both',
      startsAfter = true,
    } = this.options;
    if ((query.maxKeys ?? 0) > 1000 && manyKeys === 'refuse' && this.refusal !== undefined)
      throw this.refusal();
    let keys = this.keys(query.prefix);
    const token = query.continuationToken?.slice('after:'.length);
    if (token !== undefined) {
      keys = keys.filter((key) => (goesOn === 'in-its-order' ? order : byBytes)(key, token) > 0);
    } else if (query.startAfter !== undefined && startsAfter) {
      const after = query.startAfter;
      keys = keys.filter((key) => byBytes(key, after) > 0);
    }
    const many = manyKeys === 'all' ? Number.POSITIVE_INFINITY : pageKeys;
    const page = keys.slice(0, query.maxKeys === undefined ? pageKeys : Math.min(query.maxKeys, many));
    const bytes = answer({
      prefix: Buffer.from(query.prefix),
      objects: page.map((key) => this.#objects.get(key) as StoredObject),
      writeKey: encodes ? urlEncoded : escapedOnly,
      echoesEncoding: encodes,
      ...(page.length < keys.length ? { token: `after:${page.at(-1) ?? token ?? ''}` } : {}),
    });
    if (says === 'both') return bytes;
    const text = bytes
      .toString('latin1')
      .replace(/<NextContinuationToken>.*<\/NextContinuationToken>/, '')
      .replace(/<KeyCount>.*<\/KeyCount>/, '');
    const unsaid = says === 'nothing' ? text.replace(/<IsTruncated>.*<\/IsTruncated>/, '') : text;
    return Buffer.from(unsaid, 'latin1');
  }
}

export function byBytes(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}
