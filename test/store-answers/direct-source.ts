import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../../src/base/clock.ts';
import {
  type BuildOptions,
  type Built,
  type Look,
  NoCandidate,
  type Source,
} from '../../src/source/source.ts';
import { SignedHttp, type SignedHttpOptions } from '../../src/store/http/signed-http.ts';
import { createFetchPage } from '../../src/store/listing/fetch-page.ts';
import { type Listing, PrefixLister } from '../../src/store/listing/listing.ts';
import type { Yielder } from '../../src/store/request-retry.ts';
import { buildGeneration, digestListing, PathFilter } from '../../src/tree/index.ts';

export interface DirectSourceOptions extends SignedHttpOptions {
  readonly yielder: Yielder;
  /** For one page. */
  readonly deadlineMs: number;
  readonly clock: Clock;
}

/** Does the work of the source worker for a prefix, in this thread and by another clock. */
export class DirectSource implements Source {
  readonly kind = 'prefix';
  readonly #lister: PrefixLister;
  readonly #clock: Clock;
  readonly #filter = PathFilter.compile({ include: [], exclude: [] });
  #newest: { readonly digest: string; readonly objects: Listing } | undefined;

  constructor({ yielder, deadlineMs, clock, ...options }: DirectSourceOptions) {
    this.#clock = clock;
    const http = new SignedHttp(options);
    this.#lister = new PrefixLister({
      prefix: options.target.prefix,
      fetchPage: createFetchPage({ http, yielder, deadlineMs }),
      sleep: (ms, signal) => clock.sleep(ms, signal).catch(() => delay(0, undefined, { signal })),
      random: () => 0.5,
    });
  }

  async look({ signal }: { readonly signal: AbortSignal }): Promise<Look> {
    this.#newest = undefined;
    const objects = await this.#lister.list({ signal });
    const digest = digestListing(objects);
    this.#newest = { digest, objects };
    return { kind: 'candidate', candidate: { digest, objects: objects.count, requests: objects.requests } };
  }

  async accept(): Promise<boolean> {
    return false;
  }

  async build(options: BuildOptions): Promise<Built> {
    if (this.#newest?.digest !== options.digest) throw new NoCandidate(options.digest);
    const { previous, removedDirectories, nextNodeId, adopted } = options;
    return buildGeneration({
      objects: this.#newest.objects,
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
