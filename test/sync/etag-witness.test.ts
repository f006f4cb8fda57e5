import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ContentCache } from '../../src/cache/content-cache.ts';
import { probeObject } from '../../src/store/probe-object.ts';
import { S3Store } from '../../src/store/s3-store.ts';
import { EtagWitness, type StoreTrait } from '../../src/sync/etag-witness.ts';
import { noPersistence } from '../../src/sync/persist.ts';
import { Sync } from '../../src/sync/sync.ts';
import { errorDocument, FakeStore, object, type Reply, type SeenRequest } from '../store/fake-store.ts';
import { openStore } from '../store/open-store.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { defer, temporaryDirectory } from '../support/temporary.ts';
import { FakePresenter } from './doubles/fake-presenter.ts';
import { type FakeObject, FakeSource } from './doubles/fake-source.ts';

/** The date of all objects in the listings of FakeSource. */
const DATE = new Date(Date.UTC(2025, 0, 1)).toUTCString();

interface OddStore {
  /** The ETag that GET gives, quotes included; empty: none. */
  etagOf: (object: FakeObject, path: string) => string;
  contentOf: (object: FakeObject, path: string) => string;
}

const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

/** A store over HTTP, with a whole Sync over it. Its listings come from a FakeSource. */
async function world(
  test: TestContext,
  odd: Partial<OddStore>,
  { concurrency = 4, prefetchBytes = 1000, recalled = [] as readonly StoreTrait[] } = {},
) {
  const store: OddStore = {
    etagOf: (given) => `"${given.etag}"`,
    contentOf: (given) => given.content,
    ...odd,
  };
  const clock = new FakeClock();
  const source = new FakeSource(() => clock.now());
  const answer = ({ url, headers }: SeenRequest): Reply => {
    const path = decodeURIComponent(url.slice('/bucket/dags/'.length));
    const found = source.objects.get(path);
    if (found === undefined) return { status: 404, body: errorDocument('NoSuchKey') };
    const etag = store.etagOf(found, path);
    const ifMatch = headers['if-match'];
    if (ifMatch !== undefined && (ifMatch !== etag || etag.startsWith('W/'))) {
      return { status: 412, body: errorDocument('PreconditionFailed') };
    }
    const body = Buffer.from(store.contentOf(found, path));
    const said = { etag: etag === '' ? [] : etag, 'last-modified': DATE };
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? [];
    if (first === undefined) return object(body, said);
    const place = { 'content-range': `bytes ${first}-${last}/${body.length}` };
    return { ...object(body.subarray(Number(first), Number(last) + 1), { ...said, ...place }), status: 206 };
  };
  const fake = await FakeStore.start(test, answer);
  const log = new RecordingLog();
  const kept: (readonly StoreTrait[])[] = [];
  const witness = new EtagWitness({ recall: () => recalled, keep: (traits) => kept.push(traits) }, log);
  const { http, transport, yielder } = openStore(test, fake.origin);
  const s3 = new S3Store({
    target: http.target,
    transport,
    credentials: async () => ({ accessKeyId: 'KEY', secretAccessKey: 'secret' }),
    yielder,
    md5: witness.md5,
  });
  const cache = await ContentCache.open({
    directory: join(await temporaryDirectory(test), 'v1', '0123456789ab'),
    limitBytes: 1e8,
    store: witness.content(s3),
    lock: () => ({ release: () => undefined }),
    clock,
    log,
  });
  const presenter = new FakePresenter();
  const sync = new Sync({
    source: witness.over(source),
    etags: witness,
    cache,
    presenter,
    persister: noPersistence,
    clock,
    log,
    settleMs: 0,
    pollMs: 10_000,
    prefetchBytes,
    cacheBytes: 1e8,
    maxDelete: 0.5,
    allowEmpty: false,
    unreadableWaitMs: 0,
    probe: (path, signal) => probeObject(s3, path, signal),
    concurrency,
    observeStage: () => undefined,
  });
  const abort = new AbortController();
  defer(test, async () => {
    abort.abort();
    await running;
    await cache.close();
  });
  let running: Promise<void> | undefined;
  const start = async (): Promise<void> => {
    await clock.driveWithIo(sync.start(abort.signal));
    running = sync.run(abort.signal);
  };
  const readAll = async (): Promise<string[]> => {
    const { generation } = sync.shown!;
    const failed: string[] = [];
    for (let index = 1; index < generation.entries; index++) {
      if (generation.isDirectory(index)) continue;
      const options = { deadlineMs: 60_000, signal: abort.signal };
      const result = await clock.driveWithIo(sync.read(generation.version(index), undefined, options));
      if (result.kind === 'error') failed.push(`${generation.path(index)} ${result.failure} ${result.code}`);
    }
    return failed;
  };
  return { sync, source, clock, fake, store, witness, log, kept, start, readAll, presenter };
}

/** Lets this much time pass while HTTP requests and file operations run. */
async function pass(clock: FakeClock, milliseconds: number): Promise<void> {
  for (let passed = 0; passed < milliseconds; passed += 10) await clock.advance(10);
}

describe('a store whose listings have ETags of their own', () => {
  const own = { etagOf: (given: FakeObject) => `"${md5(given.content)}-own"` };
  for (const files of [1, 2, 3, 20]) {
    for (const concurrency of [1, 4]) {
      it(`is ready once it is found out, and all can be read: ${files} files, ${concurrency} at a time`, async (t) => {
        const { sync, source, clock, witness, kept, log, start, readAll } = await world(t, own, {
          concurrency,
        });
        source.putFiles(files);
        await start();
        await clock.driveWithIo(sync.ready);
        assert.deepEqual(witness.traits, ['own-listing-etags']);
        assert.deepEqual(kept, [['own-listing-etags']]);
        assert.deepEqual(await readAll(), []);
        assert.equal(log.told('store-traits').length, 1);
        // A later new file is shown at once.
        source.put('dags/new.py');
        assert.equal((await clock.driveWithIo(sync.refresh())).kind, 'published');
        assert.deepEqual(await readAll(), []);
      });
    }
  }

  it('is found out by a reader, too, where nothing is fetched before', async (t) => {
    const { sync, source, clock, start, readAll } = await world(t, own, { prefetchBytes: 0 });
    source.putFiles(20);
    await start();
    const version = sync.shown!.generation.version(sync.shown!.generation.find('dags/file00001.py'));
    const read = () =>
      sync.read(version, undefined, { deadlineMs: 60_000, signal: new AbortController().signal });
    assert.equal((await clock.driveWithIo(read())).kind, 'error');
    await clock.driveWithIo(sync.refresh());
    await pass(clock, 1000);
    assert.equal((await clock.driveWithIo(read())).kind, 'local');
    assert.deepEqual(await readAll(), []);
  });

  it('needs no second look where a predecessor found it out', async (t) => {
    const { source, start, readAll } = await world(t, own, {
      prefetchBytes: 0,
      recalled: ['own-listing-etags'],
    });
    source.putFiles(20);
    await start();
    assert.deepEqual(await readAll(), []);
  });

  it('shows an object that is overwritten all the same', async (t) => {
    const { sync, source, clock, presenter, start, readAll } = await world(t, own);
    source.putFiles(20);
    await start();
    await clock.driveWithIo(sync.ready);
    source.put('dags/file00003.py', 'longer than it was before');
    assert.equal((await clock.driveWithIo(sync.refresh())).kind, 'published');
    const { generation } = presenter.publications.at(-1)!;
    assert.equal(generation.size(generation.find('dags/file00003.py')), 25);
    assert.deepEqual(await readAll(), []);
  });
});

describe('objects of which some come with another ETag', () => {
  it('are those alone that cannot be read, and nothing is taken for the way of the store', async (t) => {
    const odd = new Set(['dags/file00003.py', 'dags/file00007.py']);
    const etagOf = (given: FakeObject, path: string) => (odd.has(path) ? '"other"' : `"${given.etag}"`);
    const { sync, source, clock, witness, start, readAll } = await world(t, { etagOf });
    source.putFiles(20);
    await start();
    await clock.driveWithIo(sync.ready);
    assert.deepEqual(witness.traits, []);
    assert.deepEqual(
      await readAll(),
      [...odd].map((path) => `${path} unavailable changed`),
    );
  });
});

for (const [name, etagOf] of [
  ['gives no ETag', () => ''],
  ['gives an empty ETag', () => '""'],
  ['gives weak ETags', (given: FakeObject) => `W/"${given.etag}"`],
] as const) {
  describe(`a store that ${name}`, () => {
    it('is ready, and all can be read', async (t) => {
      const { sync, source, clock, start, readAll } = await world(t, { etagOf });
      source.putFiles(20);
      await start();
      await clock.driveWithIo(sync.ready);
      assert.deepEqual(await readAll(), []);
    });
  });
}

describe('a store whose ETags look like an MD5 and are none', () => {
  const putAll = (source: FakeSource, files: number): void => {
    for (let i = 0; i < files; i++) {
      const content = `content of ${i}`;
      source.objects.set(`dags/f${i}.py`, { content, etag: md5(`salt ${content}`), archived: false });
    }
  };

  for (const files of [2, 7, 8, 30]) {
    it(`is ready once it is found out, and all can be read: ${files} files`, async (t) => {
      const { sync, source, clock, witness, start, readAll } = await world(t, {});
      putAll(source, files);
      await start();
      await clock.driveWithIo(sync.ready);
      assert.deepEqual(witness.traits, ['no-md5-etags']);
      assert.deepEqual(await readAll(), []);
    });
  }

  it('is one whose objects are damaged where any of them is right', async (t) => {
    const { sync, source, clock, witness, start, readAll } = await world(t, {
      contentOf: (given, path) => (path === 'dags/f3.py' ? given.content.replace('c', 'C') : given.content),
    });
    for (let i = 0; i < 5; i++) {
      const content = `content of ${i}`;
      source.objects.set(`dags/f${i}.py`, { content, etag: md5(content), archived: false });
    }
    await start();
    await clock.driveWithIo(sync.ready);
    assert.deepEqual(witness.traits, []);
    assert.deepEqual(await readAll(), ['dags/f3.py unavailable corrupt']);
  });
});

describe('a tree of which nothing can be read', () => {
  for (const [name, odd] of [
    [
      'another ETag with another date each time',
      { contentOf: () => 'of another length', etagOf: () => '"other"' },
    ],
    ['bytes that are not what was listed', { contentOf: () => 'of another length' }],
  ] as const) {
    it(`is never ready: ${name}`, async (t) => {
      const { sync, source, clock, start } = await world(t, odd);
      source.putFiles(5);
      await start();
      await pass(clock, 3_600);
      assert.equal(sync.view.ready, false);
    });
  }
});
