import { Yielder } from '../base/yielder.ts';
import { boundedForEach } from './bounded-for-each.ts';
import { isLocal } from './fetch-content.ts';
import type { FetchTarget } from './fetch-target.ts';
import type { ContentCachePort } from './ports.ts';
import { isWanted } from './prefetch-bound.ts';
import { fetchInTime, type TimedMeans } from './unreadable/fetch-in-time.ts';
import { SlowFetches } from './unreadable/slow-fetches.ts';

export interface HeadStartMeans extends Pick<TimedMeans, 'clock'> {
  readonly cache: Pick<ContentCachePort, 'ensure' | 'has'>;
  /** Fetches at a time. */
  readonly concurrency: number;
}

/**
 * Fetches content of the first tree while it is written down, mounted, and waits for its date: a tenth of a second and more,
 * in which the store would be asked for nothing. It judges nothing: it ends at the first failure, and the backlog, which
 * goes on once the tree is shown, asks again.
 */
export class HeadStart {
  readonly #means: HeadStartMeans;
  #left = new AbortController();
  #stopped = new AbortController();
  #run: Promise<void> = Promise.resolve();

  constructor(means: HeadStartMeans) {
    this.#means = means;
  }

  begin(target: FetchTarget): void {
    this.#left = new AbortController();
    this.#stopped = new AbortController();
    this.#run = this.#fetch(target, this.#left.signal, this.#stopped.signal).catch(() => undefined);
  }

  /** Asks for no more content. Fetches in progress continue, for whoever joins them. */
  leave(): void {
    this.#left.abort();
  }

  /** Ends those too. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#run;
  }

  async #fetch(target: FetchTarget, until: AbortSignal, signal: AbortSignal): Promise<void> {
    const { cache, clock, concurrency } = this.#means;
    const { generation, content, bound } = target;
    // Of its own: what is slow is told by the backlog, which asks for it too.
    const slow = new SlowFetches(clock);
    const means = { cache, clock, slow, allowedMs: (_: string, ms: number) => ms };
    const iterating = { total: generation.entries, concurrency, yielder: new Yielder(), signal, until };
    await boundedForEach(iterating, async (index, over) => {
      if (!isWanted(generation, content, index, bound) || isLocal(cache, generation.version(index)))
        return 'next';
      const { kind } = await fetchInTime(means, target, index, over);
      return kind === 'local' ? 'next' : 'stop';
    });
  }
}
