import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { ask, eventsOf, metricsOf, statusOf } from '../support/control.ts';
import { type Mount, mountImpossible } from '../support/mount.ts';
import { python, shell } from '../support/reader.ts';
import { waitFor } from '../support/wait-for.ts';
import { mountStore, openStore } from './fixture.ts';
import { startProxied, takeDown } from './proxied.ts';

/** Reads a file after dropping its pages from the kernel's cache, so that the kernel asks the daemon. */
async function readAnew(mount: Mount, path: string): Promise<string> {
  const source = `
import os, sys
fd = os.open(sys.argv[1], os.O_RDONLY)
os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
print(os.read(fd, 1 << 20).decode(), end="")
`;
  return await python(source, [join(mount.target, path)]);
}

function blobOf(mount: Mount, path: string): string {
  const files = readdirSync(join(mount.cacheDirectory, 'v1'), { recursive: true, withFileTypes: true });
  const blob = files
    .filter((entry) => entry.isFile() && entry.parentPath.includes('/blobs/'))
    .map((entry) => join(entry.parentPath, entry.name))
    .find((file) => readFileSync(file).subarray(-1_000).toString('latin1').includes(`"path":"${path}"`));
  assert.ok(blob, `a blob of ${path}`);
  return blob;
}

const KIB = 1024;

describe('every figure of a mount moves when what it counts happens', { skip: mountImpossible }, () => {
  test('a miss, a hit, an eviction, a corrupt blob, a change', async (t) => {
    const large = ['l1.bin', 'l2.bin', 'l3.bin'];
    const store = await openStore(
      t,
      new Map([
        ['small.py', 'one'],
        ['past.py', 'p'.repeat(4 * KIB)],
        ...large.map((path) => [path, 'l'.repeat(300 * KIB)] as const),
      ]),
    );
    const mount = await mountStore(t, store, {
      args: ['--poll-interval', '1h', '--prefetch', '1KiB', '--cache-size', '1MiB'],
    });
    const events = eventsOf(t, mount);
    const first = await statusOf(mount);
    const before = await metricsOf(mount);
    assert.deepEqual([first.cache.entries, first.cache.bytes, first.cache.misses], [1, 3, 0]);
    assert.equal(before('cache_limit_bytes'), KIB * KIB);
    assert.equal(before('ready'), 1);

    assert.equal((await readAnew(mount, 'past.py')).length, 4 * KIB);
    const missed = await statusOf(mount);
    assert.deepEqual([missed.cache.misses, missed.cache.entries, missed.cache.bytes], [1, 2, 3 + 4 * KIB]);
    const hitsBefore = missed.cache.hits;
    await readAnew(mount, 'past.py');
    assert.ok((await statusOf(mount)).cache.hits > hitsBefore);
    const metrics = await metricsOf(mount);
    assert.equal(metrics('cache_misses_total'), 1);
    assert.ok((metrics('cache_hits_total') ?? 0) > hitsBefore);
    assert.deepEqual([metrics('cache_entries'), metrics('cache_bytes')], [2, 3 + 4 * KIB]);
    for (const opcode of ['lookup', 'read']) {
      assert.ok((metrics(`fuse_requests_total{opcode="${opcode}"}`) ?? 0) > 0, opcode);
      assert.ok((metrics(`fuse_request_duration_seconds_count{opcode="${opcode}"}`) ?? 0) > 0, opcode);
      assert.ok((metrics(`fuse_request_duration_seconds_sum{opcode="${opcode}"}`) ?? 0) > 0, opcode);
    }
    const got = 'source_requests_total{operation="get",outcome="ok"}';
    assert.equal(metrics(got), (before(got) ?? 0) + 1);
    assert.ok((metrics('source_bytes_total') ?? 0) >= (before('source_bytes_total') ?? 0) + 4 * KIB);
    assert.ok((metrics('source_request_duration_seconds_count{operation="get"}') ?? 0) > 1);

    const blob = blobOf(mount, 'past.py');
    const bytes = readFileSync(blob);
    bytes[9]! ^= 1;
    writeFileSync(blob, bytes);
    assert.equal(await readAnew(mount, 'past.py'), 'p'.repeat(4 * KIB));
    assert.equal((await statusOf(mount)).cache.corrupt, 1);
    assert.equal((await metricsOf(mount))('cache_corrupt_total'), 1);
    await waitFor('the event', () =>
      events.some((event) => event.type === 'cache-error' && event.code === 'corrupt'),
    );

    for (const path of large) await shell(mount.target, `cat ${path} > /dev/null`);
    const evicted = await statusOf(mount);
    assert.ok(evicted.cache.evictions > 0);
    assert.equal((await metricsOf(mount))('cache_evictions_total'), evicted.cache.evictions);

    await store.put('dags/small.py', 'two');
    await store.put('dags/new.py', 'three');
    await ask(mount, '/v1/refresh', { wait: true });
    const changed = await statusOf(mount);
    const after = await metricsOf(mount);
    assert.deepEqual([changed.generation?.number, changed.generation?.files], [2, 6]);
    assert.notEqual(changed.generation?.id, first.generation?.id);
    assert.ok((changed.generation?.publishedAt ?? '') > (first.generation?.publishedAt ?? ''));
    assert.ok((changed.generation?.bytes ?? 0) > (first.generation?.bytes ?? 0));
    assert.ok((changed.source.lastSuccessAt ?? '') > (first.source.lastSuccessAt ?? ''));
    assert.deepEqual([after('generation_number'), after('generation_files')], [2, 6]);
    assert.equal(after(`generation_info{generation="${changed.generation?.id}"}`), 1);
    assert.equal(after(`generation_info{generation="${first.generation?.id}"}`), undefined);
    assert.equal(
      after('generation_published_timestamp_seconds'),
      Date.parse(changed.generation?.publishedAt ?? '') / 1000,
    );
    for (const stage of [
      'list',
      'settle',
      'build',
      'guard',
      'prefetch',
      'persist',
      'swap',
      'notify',
      'retire',
    ]) {
      assert.ok((after(`publish_duration_seconds_count{stage="${stage}"}`) ?? 0) > 0, stage);
    }
    await waitFor('the event', () =>
      events.some(
        (event) => event.type === 'generation' && event.generation.number === 2 && event.added === 1,
      ),
    );
  });

  test('an outage, a hostile key, a held listing, a restart', async (t) => {
    const files = Array.from({ length: 12 }, (_, at) => [`f${at}.py`, 'x'.repeat(at + 1)] as const);
    const store = await openStore(t, new Map([...files, ['past.bin', 'p'.repeat(4 * KIB)]]));
    const proxied = await startProxied(t, store);
    const mount = await mountStore(t, proxied, { args: ['--prefetch', '1KiB'] });
    const events = eventsOf(t, mount);
    const types = (): string[] => events.map(({ type }) => type);
    const first = await statusOf(mount);
    assert.deepEqual([first.source.consecutiveFailures, first.problems, first.held], [0, 0, null]);

    await takeDown(proxied, mount);
    assert.notEqual((await shell(mount.target, 'cat past.bin').catch(() => 'failed')).length, 4 * KIB);
    const down = await waitFor('two failures', async () => {
      const now = await statusOf(mount);
      return now.source.consecutiveFailures > 1 && now;
    });
    const metricsDown = await metricsOf(mount);
    assert.deepEqual([down.degraded, down.ready], [['source-unreachable'], true]);
    assert.equal(down.source.lastError?.code, 'unreachable');
    assert.ok((down.source.lastAttemptAt ?? '') > (down.source.lastSuccessAt ?? ''));
    assert.ok((metricsDown('source_consecutive_failures') ?? 0) >= down.source.consecutiveFailures);
    assert.ok((metricsDown('source_staleness_seconds') ?? 0) >= (down.source.stalenessSeconds ?? Infinity));
    assert.ok((metricsDown('source_requests_total{operation="list",outcome="unreachable"}') ?? 0) > 0);
    assert.ok((metricsDown('read_errors_total{errno="EIO"}') ?? 0) > 0);
    await proxied.proxy.comeUp();
    await waitFor('the outage to be over', async () => (await statusOf(mount)).source.lastError === null);
    assert.equal((await metricsOf(mount))('source_consecutive_failures'), 0);
    await waitFor('the events', () => types().includes('source-recovered'));
    assert.ok(types().includes('source-error'));

    const hooked = proxied.proxy.fault;
    proxied.proxy.fault = (request) =>
      request.kind !== 'LIST'
        ? hooked?.(request)
        : {
            change: ({ head, body }) => ({
              head,
              body: Buffer.from(body.toString('latin1').replaceAll('past.bin', 'pa//.bin'), 'latin1'),
            }),
          };
    await waitFor('the hostile key', async () => (await statusOf(mount)).problems === 1);
    assert.equal((await metricsOf(mount))('problems{reason="empty-component"}'), 1);
    const left = JSON.parse(await ask(mount, '/v1/entries/pa//.bin')) as { readonly code: string };
    assert.equal(left.code, 'left-out');

    for (let at = 0; at < 8; at++) await store.delete(`dags/f${at}.py`);
    const held = await waitFor('the listing to be held', async () => {
      const now = await statusOf(mount);
      return now.held?.files === 4 && now;
    });
    assert.deepEqual([held.degraded, held.held?.removed], [['held'], 8]);
    assert.equal((await metricsOf(mount))('held'), 1);
    await ask(mount, '/v1/accept', { generation: held.held?.generation });
    assert.equal((await statusOf(mount)).held, null);
    assert.equal((await metricsOf(mount))('held'), 0);
    await waitFor('the events', () => types().includes('held') && types().at(-1) === 'generation');

    const last = events.at(-1)?.id;
    const pid = (await statusOf(mount)).pid;
    process.kill(pid, 'SIGKILL');
    const again = await waitFor('another server', async () => {
      const now = await statusOf(mount).catch(() => undefined);
      return now !== undefined && now.pid !== pid && now;
    });
    assert.deepEqual([again.mount.restarts, again.mount.supervised, again.generation?.files], [1, true, 4]);
    assert.ok(again.startedAt > first.startedAt);
    const metrics = await metricsOf(mount);
    assert.deepEqual([metrics('restarts_total'), metrics('supervised')], [1, 1]);
    const more = eventsOf(t, mount, last);
    await waitFor('the restart', () =>
      more.some((event) => event.type === 'restart' && event.restarts === 1),
    );
  });
});
