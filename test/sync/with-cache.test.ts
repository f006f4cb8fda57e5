import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ContentCache } from '../../src/cache/content-cache.ts';
import type { ContentStore } from '../../src/cache/receive.ts';
import { StoreError } from '../../src/store/store-error.ts';
import { noPersistence } from '../../src/sync/persist.ts';
import { Sync } from '../../src/sync/sync.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { defer, temporaryDirectory } from '../support/temporary.ts';
import { FakePresenter } from './doubles/fake-presenter.ts';
import { FakeSource } from './doubles/fake-source.ts';

/** The bucket in memory as a store, which records the paths that are fetched. */
function storeOf(source: FakeSource, gets: string[]): ContentStore {
  return {
    get: async (key, { ifMatch }) => {
      gets.push(key);
      const object = source.objects.get(key);
      if (object === undefined) throw new StoreError('gone', key, '', false);
      if (object.etag !== ifMatch) throw new StoreError('changed', key, '', false);
      const content = Buffer.from(object.content);
      return {
        etag: object.etag,
        size: content.length,
        lastModified: 0,
        versionId: undefined,
        body: (async function* () {
          yield content;
        })(),
      };
    },
  };
}

describe('Sync over the content cache', () => {
  it('has content on disk before it is published, and keeps it over a restart', async (test) => {
    const directory = join(await temporaryDirectory(test), 'v1', '0123456789ab');
    const clock = new FakeClock();
    const source = new FakeSource(() => clock.now());
    source.putFiles(50);
    source.put('dags/empty.py', '');
    const gets: string[] = [];
    const { signal } = new AbortController();

    const open = async () => {
      const log = new RecordingLog();
      const store = storeOf(source, gets);
      const lock = () => ({ release: () => undefined });
      const cache = await ContentCache.open({ directory, limitBytes: 1e6, store, lock, clock, log });
      const presenter = new FakePresenter();
      const sync = new Sync({
        source,
        cache,
        presenter,
        persister: noPersistence,
        clock,
        log,
        settleMs: 0,
        unreadableWaitMs: 60_000,
        probe: () => Promise.resolve(),
        pollMs: 10_000,
        prefetchBytes: 1000,
        cacheBytes: 1e6,
        maxDelete: 0.5,
        allowEmpty: false,
        concurrency: 4,
        observeStage: () => undefined,
      });
      const abort = new AbortController();
      await clock.drive(sync.start(abort.signal));
      const running = sync.run(abort.signal);
      const close = async (): Promise<void> => {
        abort.abort();
        await running;
        await cache.close();
      };
      return { cache, presenter, sync, close };
    };

    const first = await open();
    defer(test, first.close);
    await first.sync.ready;
    assert.equal(first.cache.stats().entries, 50);
    source.put('dags/file00007.py', 'changed');
    first.presenter.onPublish = () => assert.equal(gets.at(-1), 'dags/file00007.py');
    assert.equal((await clock.driveWithIo(first.sync.refresh())).kind, 'published');
    assert.equal(gets.length, 51);
    // The replaced content is pinned: the cache does not evict what the kernel may still hold.
    assert.equal(first.cache.stats().entries, 51);
    const before = first.presenter.publications[0]!.generation;
    first.presenter.release(before.nodeId(before.find('dags/file00007.py')));
    assert.equal(first.cache.stats().pinned, 0);
    await first.close();

    const second = await open();
    defer(test, second.close);
    await second.sync.ready;
    assert.equal(gets.length, 51);
    const { generation, fingerprints } = second.presenter.publications[0]!;
    const index = generation.find('dags/file00007.py');
    assert.equal(fingerprints[index], 0n);
    const read = await second.sync.read(generation.version(index), undefined, { deadlineMs: 10_000, signal });
    assert.equal(read.kind, 'local');
    assert.notEqual(fingerprints[index], 0n);
    assert.equal(gets.length, 51);
    assert.ok((await readdir(directory)).includes('blobs'));
  });
});
