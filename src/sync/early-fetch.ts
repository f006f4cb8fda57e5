import { Yielder } from '../base/yielder.ts';
import { boundedForEach } from './bounded-for-each.ts';
import { isLocal } from './fetch-content.ts';
import type { FetchTarget } from './fetch-target.ts';
import type { ContentCachePort } from './ports.ts';
import { isWanted } from './prefetch-bound.ts';
import { fetchInTime, type TimedMeans } from './unreadable/fetch-in-time.ts';
import { SlowFetches } from './unreadable/slow-fetches.ts';

export interface EarlyFetchMeans extends Pick<TimedMeans, 'clock'> {
  readonly cache: Pick<ContentCachePort, 'ensure' | 'has'>;
  /** The maximum number of fetches at a time. */
  readonly concurrency: number;
}

/**
 * Fetches content of the first tree while that tree is persisted, mounted, and waits for its date. Otherwise
 * the store would get no request for a tenth of a second or more. This class judges no failure: it ends at
 * the first one. The backlog, which runs once the tree is shown, requests the content again.
 */
export class EarlyFetch {
  readonly #means: EarlyFetchMeans;
  #left = new AbortController();
  #stopped = new AbortController();
  #run: Promise<void> = Promise.resolve();

  constructor(means: EarlyFetchMeans) {
    this.#means = means;
  }

  begin(target: FetchTarget): void {
    this.#left = new AbortController();
    this.#stopped = new AbortController();
    this.#run = this.#fetch(target, this.#left.signal, this.#stopped.signal).catch(() => undefined);
  }

  /** Requests no more content. Fetches in progress continue, and callers may join them. */
  leave(): void {
    this.#left.abort();
  }

  /** Aborts the fetches in progress, too. Resolves when they have ended. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#run;
  }

  async #fetch(target: FetchTarget, until: AbortSignal, signal: AbortSignal): Promise<void> {
    const { cache, clock, concurrency } = this.#means;
    const { generation, content, bound } = target;
    // Nothing reports the slow fetches of this list, because the backlog requests the same content, and
    // reports them.
    const slow = new SlowFetches(clock);
    const means = { cache, clock, slow, allowedMs: (_: string, ms: number) => ms };
    const iterating = { total: generation.entries, concurrency, yielder: new Yielder(), signal, until };
    await boundedForEach(iterating, async (index, over) => {
      const isHere = (): boolean =>
        isLocal(cache, { name: generation.versionName(index), size: generation.size(index) });
      if (!isWanted(generation, content, index, bound) || isHere()) return 'next';
      const { kind } = await fetchInTime(means, target, index, over);
      return kind === 'local' ? 'next' : 'stop';
    });
  }
}
