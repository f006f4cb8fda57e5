import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Yielder } from '../src/base/yielder.ts';
import { writeBlob } from '../src/cache/blob-file.ts';
import { ContentCache } from '../src/cache/content-cache.ts';
import type { ContentStore } from '../src/cache/receive.ts';
import { ReplacedContent } from '../src/cache/replaced-content.ts';
import { PrefixSource } from '../src/source/prefix/prefix-source.ts';
import { RequestSigner } from '../src/store/http/sign.ts';
import { SignedHttp } from '../src/store/http/signed-http.ts';
import { Transport } from '../src/store/http/transport.ts';
import { DEFAULT_TIMEOUTS } from '../src/store/http/transport-settings.ts';
import { atHost } from '../src/store/resolved-target.ts';
import { S3Store } from '../src/store/s3-store.ts';
import { Stopper } from '../src/store/stop.ts';
import { boundedForEach } from '../src/sync/bounded-for-each.ts';
import { ContentState } from '../src/sync/content-state.ts';
import { EtagWitness } from '../src/sync/etag-witness.ts';
import { systemClock } from '../src/sync/system-clock.ts';
import { fetchInTime } from '../src/sync/unreadable/fetch-in-time.ts';
import { SlowFetches } from '../src/sync/unreadable/slow-fetches.ts';
import type { ContentVersion } from '../src/tree/index.ts';
import { CREDENTIALS, TARGET } from '../test/store/open-store.ts';
import { serveManyObjects } from '../test/support/many-objects.ts';
import { RecordingLog } from '../test/support/recording-log.ts';
import { type Cleanup, defer } from '../test/support/temporary.ts';
import { freshDisk } from './fresh-disk.ts';
import { withCleanup } from './with-cleanup.ts';

/**
 * What one object costs when it is fetched in the background, step by step: `node dist/bench/object.js
 * [--objects 3000] [--bytes 4096] [--concurrency 32] [--rounds 5] [--only WORD]`. The store is another process on loopback, and
 * costs nothing here. Prints the CPU of this process for each object (all its threads, user and system), median
 * and range of the rounds, in which the steps take turns. A step contains those that are indented below it.
 */
const { values } = parseArgs({
  options: {
    objects: { type: 'string', default: '3000' },
    bytes: { type: 'string', default: '4096' },
    concurrency: { type: 'string', default: '32' },
    rounds: { type: 'string', default: '5' },
    only: { type: 'string', default: '' },
  },
});

const concurrency = Number(values.concurrency);
const forever = new Stopper();

interface Step {
  readonly name: string;
  /** Handles every object once. `round`: for directories of its own. */
  readonly run: (round: number) => Promise<void>;
}

/** Calls `visit` for each version, as many at a time as requests are under way. */
async function eachOf(
  versions: readonly ContentVersion[],
  visit: (version: ContentVersion) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    for (let at = next++; at < versions.length; at = next++) await visit(versions[at] as ContentVersion);
  };
  await Promise.all(Array.from({ length: concurrency }, work));
}

async function stepsOf(context: Cleanup): Promise<readonly Step[]> {
  const objects = await serveManyObjects({
    objects: Number(values.objects),
    prefix: 'dags/',
    bytes: Number(values.bytes),
  });
  defer(context, () => objects.stop());
  const { directory, kind } = await freshDisk(context);
  console.log(`${values.objects} objects of ${values.bytes} bytes, Node.js ${process.version}, ${kind}`);
  const settings = {
    trusted: undefined,
    proxies: { http: undefined, https: undefined, no: '' },
    connections: concurrency,
    timeouts: DEFAULT_TIMEOUTS,
  };
  const transport = new Transport(settings);
  const shared = {
    target: atHost(TARGET, objects.endpoint),
    transport,
    credentials: async () => CREDENTIALS,
  };
  const http = new SignedHttp(shared);
  const log = new RecordingLog();
  const witness = new EtagWitness({ recall: () => [], keep: () => undefined }, log);
  const store = new S3Store({ ...shared, md5: witness.md5 });
  defer(context, () => store.close());
  const patterns = { include: [], exclude: [], executable: [] };
  const source = new PrefixSource({ ...shared, patterns, salt: 1n, log: () => undefined });
  const signal = new AbortController().signal;
  const look = await source.look({ signal });
  if (look.kind !== 'candidate') throw new Error('the store lists nothing');
  const { generation } = await source.build({
    digest: look.candidate.digest,
    previous: undefined,
    removedDirectories: new Map(),
    nextNodeId: 2,
    signal,
  });
  const files = Uint32Array.from({ length: generation.entries }, (_, index) => index).filter(
    (index) => !generation.isDirectory(index),
  );
  const versions = Array.from(files, (index) => generation.version(index));
  const body = Buffer.alloc(Number(values.bytes));
  const inMemory: ContentStore = {
    get: async (_, { ifMatch = '', size = 0 }) => ({
      etag: ifMatch,
      size,
      lastModified: 0,
      versionId: undefined,
      body: bodyOf(body.subarray(0, size)),
    }),
  };
  const openCache = (name: string, round: number, from: ContentStore): Promise<ContentCache> =>
    ContentCache.open({
      directory: join(directory, `${name}-${round}`),
      limitBytes: 2 ** 40,
      store: from,
      lock: () => ({ release: () => undefined }),
      clock: systemClock,
      log,
    });
  const cacheOver = async (name: string, round: number, from: ContentStore): Promise<void> => {
    const cache = await openCache(name, round, from);
    const options = { signal: forever, priority: 'background' } as const;
    await eachOf(versions, (version) => cache.ensure(version, undefined, options));
    await cache.close();
  };
  const signer = new RequestSigner();
  return [
    {
      name: 'prefetch: time limit, cache, listed version, store',
      run: async (round) => {
        const listed = witness.content(store);
        const cache = await openCache('prefetch', round, new ReplacedContent(listed, () => undefined));
        const content = new ContentState(generation.entries);
        const means = {
          cache,
          clock: systemClock,
          slow: new SlowFetches(systemClock),
          allowedMs: (_: string, ms: number) => ms,
        };
        await boundedForEach(
          { total: files.length, concurrency, yielder: new Yielder(), signal },
          async (at, over) => {
            await fetchInTime(means, { generation, content }, files[at] as number, over);
            return 'next';
          },
        );
        await cache.close();
      },
    },
    {
      name: '  cache over listed version, store',
      run: (at) => cacheOver('both', at, new ReplacedContent(witness.content(store), () => undefined)),
    },
    {
      name: '    listed version, store',
      run: () => {
        const listed = witness.content(store);
        return eachOf(versions, async ({ path, etag, size, lastModified }) => {
          const answer = await listed.get(path, {
            signal: forever,
            priority: 'background',
            ifMatch: etag,
            size,
            lastModified,
          });
          for await (const _ of answer.body);
        });
      },
    },
    {
      name: '    cache: a shared fetch, room, blob; content from memory',
      run: (at) => cacheOver('cache', at, inMemory),
    },
    {
      name: '      blob: create, write, rename, lstat',
      run: async (round) => {
        const folder = join(directory, `blobs-${round}`);
        await mkdir(folder);
        await eachOf(versions, ({ name }) =>
          writeBlob(join(folder, `tmp-${name}`), join(folder, name), {
            parts: [body],
            fileBytes: body.length,
          }),
        );
      },
    },
    {
      name: '      store: a place, retries, request, answer, checksum',
      run: () =>
        eachOf(versions, async ({ path, etag, size }) => {
          const answer = await store.get(path, {
            signal: forever,
            priority: 'background',
            ifMatch: etag,
            size,
          });
          for await (const _ of answer.body);
        }),
    },
    {
      name: '        exchange: signed request, answer',
      run: () =>
        eachOf(versions, async ({ path, size }) => {
          const answer = await http.send({ operation: 'get', key: `dags/${path}` }, forever);
          await http.collect(answer, size, forever);
        }),
    },
    {
      name: '          signature',
      run: async () => {
        const { target } = shared;
        for (const { path } of versions) {
          const request = { method: 'GET', path: `/bucket/dags/${path}`, query: {}, headers: {} } as const;
          signer.sign(request, target, CREDENTIALS, Date.now());
        }
      },
    },
  ];
}

function bodyOf(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  return {
    async *[Symbol.asyncIterator]() {
      yield bytes;
    },
  };
}

/** Microseconds of CPU an object. */
async function costOf(step: Step, round: number): Promise<number> {
  const before = process.cpuUsage();
  await step.run(round);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / Number(values.objects);
}

async function bench(context: Cleanup): Promise<void> {
  const steps = (await stepsOf(context)).filter(({ name }) => name.includes(values.only));
  const costs = new Map(steps.map(({ name }) => [name, [] as number[]]));
  for (let round = 0; round < Number(values.rounds); round += 1) {
    for (const step of steps) costs.get(step.name)?.push(await costOf(step, round));
  }
  console.log(
    'us of CPU an object, median (least to most); the first round is that of a process just started',
  );
  for (const [name, each] of costs) {
    const sorted = each.toSorted((one, other) => one - other).map(Math.round);
    console.log(
      `${String(sorted[sorted.length >> 1]).padStart(6)} (${sorted[0]} to ${sorted.at(-1)}; first ${Math.round(each[0] as number)})  ${name}`,
    );
  }
}

await withCleanup(bench);
