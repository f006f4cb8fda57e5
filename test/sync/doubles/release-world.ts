import { join } from 'node:path';
import { ContentCache } from '../../../src/cache/content-cache.ts';
import { Spool } from '../../../src/cache/spool.ts';
import { KeptWholes } from '../../../src/source/release/content/kept-wholes.ts';
import { ReleaseContent } from '../../../src/source/release/content/release-content.ts';
import { decodeBody, encodeBody, lengthOf } from '../../../src/state/state-body.ts';
import type { Persister, TakeoverState } from '../../../src/sync/ports.ts';
import type { Restored } from '../../../src/sync/restored.ts';
import { Sync, type SyncOptions } from '../../../src/sync/sync.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { RecordingLog } from '../../support/recording-log.ts';
import { type Cleanup, defer, temporaryDirectory } from '../../support/temporary.ts';
import { FakePresenter } from './fake-presenter.ts';
import { MemoryReleases } from './memory-releases.ts';

/** Keeps the bytes that a state file would have. */
class KeptBody implements Persister {
  readonly troubles = [];
  #body: Buffer | undefined;
  instant = { seconds: 0, nanoseconds: 0 };

  async persist(state: TakeoverState): Promise<void> {
    const body = await encodeBody(state, { mountId: 'm', filters: 'f', writtenBy: 'test' });
    this.#body = Buffer.concat(body, lengthOf(body));
  }

  async commit(instant: { readonly seconds: number; readonly nanoseconds: number }): Promise<void> {
    this.instant = instant;
  }

  acknowledged(): void {}

  restored(): Restored {
    const { generation, problems, nextNodeId, removedDirectories, replaced, peaks, history, release } =
      decodeBody(this.#body!, this.instant);
    const { seconds } = this.instant;
    return {
      generation,
      problems,
      nextNodeId,
      removedDirectories,
      replaced,
      peaks,
      history,
      release,
      publishedAt: 1000 * seconds,
      lastSecond: seconds,
    };
  }
}

interface WorldOptions extends Partial<SyncOptions> {
  readonly releases?: MemoryReleases;
  readonly directory?: string;
  readonly restored?: Restored;
  readonly limitBytes?: number;
}

/** A Sync over a real cache, and releases in memory. */
export async function releaseWorldOf(t: Cleanup, options: WorldOptions = {}) {
  const clock = new FakeClock();
  const log = new RecordingLog();
  const releases = options.releases ?? new MemoryReleases(() => clock.now());
  const directory = options.directory ?? join(await temporaryDirectory(t), 'v1', '0123456789ab');
  const wholes = new KeptWholes({ openSpool: () => Spool.open(directory), limitBytes: 1e6, clock });
  const content = new ReleaseContent(releases.packs, wholes);
  const { limitBytes = 1e6 } = options;
  const lock = () => ({ release: () => undefined });
  const cache = await ContentCache.open({ directory, limitBytes, store: content, lock, clock, log });
  const presenter = new FakePresenter();
  const persister = new KeptBody();
  const { signal } = new AbortController();
  const sync = new Sync(
    {
      source: releases,
      planner: content,
      cache,
      presenter,
      persister,
      clock,
      log,
      settleMs: 1_000,
      unreadableWaitMs: 60_000,
      probe: () => Promise.reject(new Error('nothing is probed')),
      pollMs: 10_000,
      prefetchBytes: 8 * 1024 * 1024,
      cacheBytes: limitBytes,
      maxDelete: 0.5,
      allowEmpty: false,
      concurrency: 4,
      observeStage: () => undefined,
      ...options,
    },
    options.restored,
  );
  const abort = new AbortController();
  let running: Promise<void> | undefined;
  const drive = <T>(promise: Promise<T>): Promise<T> => clock.driveWithIo(promise);
  const start = async (): Promise<void> => {
    await drive(sync.start(abort.signal));
    running = sync.run(abort.signal);
    await drive(sync.ready);
  };
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closed ??= (async () => {
      abort.abort();
      await running;
      await cache.close();
    })();
    return closed;
  };
  defer(t, close);
  const read = async (path: string): Promise<string> => {
    const { generation } = sync.shown!;
    const version = generation.version(generation.find(path));
    const result = await drive(sync.read(version, undefined, { deadlineMs: 10_000, signal }));
    return result.kind;
  };
  const refresh = () => drive(sync.refresh());
  return { clock, log, releases, directory, cache, presenter, persister, sync, start, close, read, refresh };
}
