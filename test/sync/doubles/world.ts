import { noPersistence } from '../../../src/sync/persist.ts';
import type { Restored } from '../../../src/sync/restored.ts';
import { Sync, type SyncOptions } from '../../../src/sync/sync.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { RecordingLog } from '../../support/recording-log.ts';
import { FakeCache } from './fake-cache.ts';
import { FakePresenter } from './fake-presenter.ts';
import { FakeSource } from './fake-source.ts';

/** A Sync over doubles. */
export class World {
  readonly clock = new FakeClock();
  readonly log = new RecordingLog();
  readonly source = new FakeSource(() => this.clock.now());
  readonly cache = new FakeCache(this.source);
  readonly presenter = new FakePresenter();
  readonly sync: Sync;
  readonly #abort = new AbortController();
  #running: Promise<void> | undefined;

  constructor(options: Partial<SyncOptions> = {}, restored?: Restored) {
    this.sync = new Sync(
      {
        source: this.source,
        cache: this.cache,
        presenter: this.presenter,
        persister: noPersistence,
        clock: this.clock,
        log: this.log,
        settleMs: 0,
        unreadableWaitMs: 60_000,
        probe: this.cache.probe,
        pollMs: 10_000,
        prefetchBytes: 8 * 1024 * 1024,
        cacheBytes: Number.POSITIVE_INFINITY,
        maxDelete: 0.5,
        allowEmpty: false,
        concurrency: 4,
        observeStage: () => undefined,
        ...options,
      },
      restored,
    );
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Publishes the first tree and begins to poll. */
  async start(): Promise<void> {
    await this.clock.drive(this.sync.start(this.signal));
    this.#running = this.sync.run(this.signal);
    await this.clock.settle();
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#running;
  }
}
