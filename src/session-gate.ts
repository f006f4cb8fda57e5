import type { ContentCache } from './cache/content-cache.ts';
import type { FetchResult } from './session/messages.ts';
import type { ContentVersion } from './tree/index.ts';

export type ReadContent = (
  version: ContentVersion,
  chunk: number | undefined,
  signal: AbortSignal,
) => Promise<FetchResult>;

export type Released = (nodeIds: readonly number[]) => void;

/**
 * Where readers' misses go, and what the kernel lets go of. A successor answers readers before it has found its way to
 * the store, which takes longer than all the rest of its start: until then what is on the local disk is to be had, and
 * the rest waits.
 */
export class SessionGate {
  readonly #cache: Promise<Pick<ContentCache, 'ensure'>>;
  readonly #whole: Promise<ReadContent>;
  #read: ReadContent | undefined;
  #released: Released | undefined;
  readonly #releasedEarly: number[] = [];
  #openCache: (cache: Pick<ContentCache, 'ensure'>) => void = () => undefined;
  #openAll: (read: ReadContent) => void = () => undefined;

  constructor() {
    this.#cache = new Promise((resolve) => {
      this.#openCache = resolve;
    });
    this.#whole = new Promise((resolve) => {
      this.#openAll = resolve;
    });
  }

  cacheIsOpen(cache: Pick<ContentCache, 'ensure'>): void {
    this.#openCache(cache);
  }

  open(read: ReadContent, released: Released): void {
    this.#read = read;
    this.#openAll(read);
    this.#released = released;
    if (this.#releasedEarly.length > 0) released(this.#releasedEarly);
  }

  readonly released: Released = (nodeIds) => {
    if (this.#released !== undefined) this.#released(nodeIds);
    else this.#releasedEarly.push(...nodeIds);
  };

  readonly read: ReadContent = async (version, chunk, signal) => {
    if (this.#read !== undefined) return await this.#read(version, chunk, signal);
    const cache = await this.#cache;
    try {
      return await cache.ensure(version, chunk, { signal, priority: 'demand', localOnly: true });
    } catch {
      // Whatever it was, who can ask the store says it, or has better news.
      return await (await this.#whole)(version, chunk, signal);
    }
  };
}
