import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../../src/base/clock.ts';
import type { Built, Listed, Lister } from '../../src/source/source.ts';
import { SignedHttp, type SignedHttpOptions } from '../../src/store/http/signed-http.ts';
import { createFetchPage } from '../../src/store/listing/fetch-page.ts';
import { type Listing, PrefixLister } from '../../src/store/listing/listing.ts';
import type { Yielder } from '../../src/store/retry.ts';
import { buildGeneration, digestListing, PathFilter } from '../../src/tree/index.ts';

export interface DirectListerOptions extends SignedHttpOptions {
  readonly yielder: Yielder;
  /** Of a page. */
  readonly deadlineMs: number;
  readonly clock: Clock;
}

/** What the listing worker does, in this thread. */
export class DirectLister implements Lister {
  readonly #lister: PrefixLister;
  readonly #clock: Clock;
  readonly #filter = PathFilter.compile({ include: [], exclude: [] });
  #newest: Listing | undefined;

  constructor({ yielder, deadlineMs, clock, ...options }: DirectListerOptions) {
    this.#clock = clock;
    const http = new SignedHttp(options);
    this.#lister = new PrefixLister({
      prefix: options.target.prefix,
      fetchPage: createFetchPage({ http, yielder, deadlineMs }),
      sleep: (ms, signal) => clock.sleep(ms, signal).catch(() => delay(0, undefined, { signal })),
      random: () => 0.5,
    });
  }

  async list({ signal }: { readonly signal: AbortSignal }): Promise<Listed> {
    this.#newest = undefined;
    const newest = await this.#lister.list({ signal });
    this.#newest = newest;
    return { digest: digestListing(newest), objects: newest.count, requests: newest.requests };
  }

  async build(options: Parameters<Lister['build']>[0]): Promise<Built> {
    if (this.#newest === undefined) throw new Error('there is no listing to build from');
    const { previous, removedDirectories, nextNodeId, adopted } = options;
    return buildGeneration({
      objects: this.#newest,
      filter: this.#filter,
      previous,
      removedDirectories,
      nextNodeId,
      adopted,
      salt: 7n,
      now: this.#clock.now(),
    });
  }
}
