import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import * as z from 'zod/mini';
import { blobsShape, cacheShape, pathResultsShape, verifiedShape } from '../../src/control/shapes/cache.ts';
import { configShape, logLevelShape, openApiShape } from '../../src/control/shapes/daemon.ts';
import { entriesShape, entryShape } from '../../src/control/shapes/entries.ts';
import {
  changesShape,
  generationsShape,
  problemDetailsShape,
  problemsShape,
  refreshedShape,
  statusShape,
} from '../../src/control/shapes/status.ts';
import { type Mount, mountImpossible } from '../support/mount.ts';
import { python, read, shell } from '../support/reader.ts';
import { mountStore, openStore } from './fixture.ts';

interface Answer<T> {
  readonly status: number;
  readonly head: string;
  readonly json: T;
}

/** Asks by curl, as an operator does, and checks the answer against its shape. */
async function curl<Shape extends z.ZodMiniType>(
  mount: Mount,
  path: string,
  shape: Shape,
  args: readonly string[] = [],
): Promise<Answer<z.infer<Shape>>> {
  const common = ['-sS', '-i', '--max-time', '30', '--path-as-is', '--unix-socket', mount.socket()];
  const text = await read('curl', [...common, ...args, `http://localhost${path}`]);
  const end = text.indexOf('\r\n\r\n');
  const status = Number(text.split(' ')[1]);
  return {
    status,
    head: text.slice(0, end),
    json: z.parse(shape, JSON.parse(text.slice(end + 4))) as z.infer<Shape>,
  };
}

function posted(body: unknown, method = 'POST'): readonly string[] {
  return ['-X', method, '-H', 'Content-Type: application/json', '-d', JSON.stringify(body)];
}

const big = 'x'.repeat(9 * 1024 * 1024);

describe('the endpoints of a mount', { skip: mountImpossible }, () => {
  test('list the tree, and say of each path why it is what it is, or why it is not there', async (t) => {
    const store = await openStore(
      t,
      new Map([
        ['a/b.py', 'one'],
        ['a.py', 'two!'],
        ['é/ü.py', 'three'],
        ['old/x.tmp', 'left out'],
      ]),
    );
    const mount = await mountStore(t, store, {
      args: ['--exclude', '*.tmp', '--poll-interval', '1h', '--max-delete', '10%'],
    });
    const { json, head } = await curl(mount, '/v1/entries', entriesShape);
    assert.deepEqual(
      json.items.map(({ path, kind, size, cached }) => [path, kind, size, cached]),
      [
        ['a', 'directory', 0, null],
        ['a.py', 'file', 4, true],
        ['a/b.py', 'file', 3, true],
        ['é', 'directory', 0, null],
        ['é/ü.py', 'file', 5, true],
      ],
    );
    assert.equal(json.next, null);
    const status = await curl(mount, '/v1/status', statusShape);
    const id = status.json.generation?.id;
    assert.ok(head.includes(`ETag: "${id}"`), head);
    const same = await read('curl', [
      '-sS',
      '-i',
      '--unix-socket',
      mount.socket(),
      '-H',
      `If-None-Match: "${id}"`,
      'http://localhost/v1/entries',
    ]);
    assert.match(same, /^HTTP\/1\.1 304 /);

    for (const path of ['a/b.py', 'a%2Fb.py']) {
      const { json: entry } = await curl(mount, `/v1/entries/${path}`, entryShape);
      assert.deepEqual(
        [entry.path, entry.key, entry.size, entry.cached, entry.pinned, entry.generation.id],
        ['a/b.py', 'dags/a/b.py', 3, true, false, id],
      );
      assert.equal(entry.etag, createHash('md5').update('one').digest('hex'));
      assert.equal(entry.checksum?.value, createHash('sha256').update('one').digest('hex'));
      assert.equal(entry.firstVisible.generation?.number, 1);
      assert.equal(String(entry.nodeIds.current), (await shell(mount.target, 'stat -c %i a/b.py')).trim());
    }
    const directory = await curl(mount, '/v1/entries/a', entryShape);
    assert.deepEqual([directory.json.kind, directory.json.etag], ['directory', null]);

    const absent = async (path: string) => {
      const answer = await curl(mount, `/v1/entries/${path}`, problemDetailsShape);
      return [answer.status, answer.json.code, answer.json.detail] as const;
    };
    assert.deepEqual((await absent('no/such.py')).slice(0, 2), [404, 'never-seen']);
    const excluded = await absent('old/x.tmp');
    assert.deepEqual(excluded.slice(0, 2), [404, 'excluded']);
    assert.match(excluded[2], /--exclude "\*\.tmp"/);
    for (const path of ['../x', 'a/./b', 'a/%2E%2E/b', '%2e']) {
      assert.deepEqual((await absent(path)).slice(0, 2), [400, 'bad-parameter'], path);
    }

    await store.delete('dags/a.py');
    const refresh = await curl(mount, '/v1/refresh', refreshedShape, posted({ wait: true }));
    assert.equal(refresh.json.outcome, 'published');
    const gone = await absent('a.py');
    assert.equal(gone[1], 'never-seen');
    assert.match(gone[2], /generation 2 removed it/);
    const changes = await curl(mount, `/v1/generations/${refresh.json.generation?.id}/changes`, changesShape);
    assert.deepEqual(changes.json.removed, ['a.py']);
    assert.equal((await curl(mount, '/v1/generations', generationsShape)).json.items.length, 2);
    assert.deepEqual((await curl(mount, '/v1/problems', problemsShape)).json.items, []);
  });

  test('say of a path in a listing that is held that it is, and of one that changed since when', async (t) => {
    const files = new Map(Array.from({ length: 12 }, (_, at) => [`f${at}.py`, 'x'] as const));
    const store = await openStore(t, files);
    const mount = await mountStore(t, store, { args: ['--poll-interval', '1h'] });
    await store.put('dags/f0.py', 'other');
    await curl(mount, '/v1/refresh', refreshedShape, posted({ wait: true }));
    const changed = await curl(mount, '/v1/entries/f0.py', entryShape);
    assert.equal(changed.json.firstVisible.generation?.number, 2);
    const kept = await curl(mount, '/v1/entries/f1.py', entryShape);
    assert.equal(kept.json.firstVisible.generation?.number, 1);
    for (let at = 1; at < 9; at++) await store.delete(`dags/f${at}.py`);
    await store.put('dags/new.py', 'x');
    const held = await curl(mount, '/v1/refresh', problemDetailsShape, posted({ wait: true }));
    assert.deepEqual([held.status, held.json.code], [409, 'held']);
    const absent = await curl(mount, '/v1/entries/new.py', problemDetailsShape);
    assert.deepEqual([absent.status, absent.json.code], [404, 'held']);
    assert.match(absent.json.detail, /mass-deletion/);
  });

  test('name the version that the store keeps, which an extended attribute does too', async (t) => {
    const store = await openStore(t);
    await store.keepVersions();
    await store.put('dags/a.py', 'one');
    const mount = await mountStore(t, store);
    const { json } = await curl(mount, '/v1/entries/a.py', entryShape);
    assert.match(json.versionId ?? '', /^[0-9a-zA-Z._-]+$/);
    const ask = (path: string) =>
      python('import os, sys; print(os.getxattr(sys.argv[1], "user.dagmount.version-id").decode())', [path]);
    assert.equal(await ask(`${mount.target}/a.py`), `${json.versionId}\n`);
    await assert.rejects(ask(mount.target), /Errno 61/);
  });

  test('evict, pin, fetch and check what is in the cache', async (t) => {
    const store = await openStore(
      t,
      new Map([
        ['pkg/a.py', 'one'],
        ['pkg/b.py', 'two!'],
        ['big.bin', big],
      ]),
    );
    const mount = await mountStore(t, store, { args: ['--poll-interval', '1h'] });
    const ask = async (verb: string, body: unknown) =>
      (await curl(mount, `/v1/cache/${verb}`, pathResultsShape, posted(body))).json.items;
    assert.equal((await curl(mount, '/v1/cache', cacheShape)).json.entries, 2);

    const fetched = await ask('prefetch', { paths: ['big.bin', 'none.py'] });
    assert.deepEqual(
      fetched.map(({ outcome, files, bytes, code }) => [outcome, files, bytes, code]),
      [
        ['done', 1, big.length, null],
        ['failed', 0, 0, 'not-found'],
      ],
    );
    const { json } = await curl(mount, '/v1/cache/blobs', blobsShape);
    assert.deepEqual(json.items.map(({ path, chunk, bytes, rank }) => [path, chunk, bytes, rank]).sort(), [
      ['big.bin', 0, 8 * 1024 * 1024, 'past'],
      ['big.bin', 1, 1024 * 1024, 'past'],
      ['pkg/a.py', null, 3, 'kept'],
      ['pkg/b.py', null, 4, 'kept'],
    ]);
    const first = await curl(mount, '/v1/cache/blobs?limit=3', blobsShape);
    const second = await curl(mount, `/v1/cache/blobs?limit=3&after=${first.json.next}`, blobsShape);
    assert.deepEqual(
      [...first.json.items, ...second.json.items].map(({ key }) => key),
      json.items.map(({ key }) => key),
    );
    assert.equal(second.json.next, null);

    assert.deepEqual(
      (await ask('pin', { paths: ['big.bin', 'pkg/'] })).map(({ outcome, files }) => [outcome, files]),
      [
        ['done', 1],
        ['done', 2],
      ],
    );
    const pinned = await curl(mount, '/v1/entries/pkg/a.py', entryShape);
    assert.equal(pinned.json.pinned, true);
    const refused = await ask('evict', { paths: ['pkg/a.py'] });
    assert.deepEqual([refused[0]?.outcome, refused[0]?.code], ['failed', 'pinned']);
    const totals = (await curl(mount, '/v1/cache', cacheShape)).json;
    assert.deepEqual([totals.pinned, totals.pinnedPaths], [4, 2]);
    assert.equal((await ask('unpin', { paths: ['pkg'] }))[0]?.outcome, 'done');
    const evicted = await ask('evict', { paths: ['pkg'] });
    assert.deepEqual([evicted[0]?.outcome, evicted[0]?.files, evicted[0]?.bytes], ['done', 2, 7]);
    assert.equal((await ask('evict', { paths: ['pkg/a.py'] }))[0]?.outcome, 'unchanged');
    const missing = await curl(mount, '/v1/entries/pkg/a.py', entryShape);
    assert.deepEqual([missing.json.cached, missing.json.checksum], [false, null]);
    assert.equal(await shell(mount.target, 'cat pkg/a.py'), 'one');
    assert.equal((await curl(mount, '/v1/entries/pkg/a.py', entryShape)).json.cached, true);
    const verified = await curl(mount, '/v1/cache/verify', verifiedShape, posted({}));
    assert.deepEqual([verified.json.blobs, verified.json.corrupt], [3, 0]);
  });

  test('tell the configuration, their own description and events, and set the log level', async (t) => {
    const store = await openStore(t, new Map([['a.py', 'one']]));
    const mount = await mountStore(t, store, { env: { DAGMOUNT_CACHE_SIZE: '64MiB' } });
    const { json } = await curl(mount, '/v1/config', configShape);
    const option = (name: string) => json.options.find((each) => each.name === name);
    assert.deepEqual(option('poll-interval'), {
      name: 'poll-interval',
      value: '1s',
      from: 'flag',
      origin: 'flag --poll-interval',
    });
    assert.deepEqual(
      [option('cache-size')?.value, option('cache-size')?.origin],
      ['64MiB', 'environment DAGMOUNT_CACHE_SIZE'],
    );
    assert.ok(!JSON.stringify(json).includes(store.env.AWS_SECRET_ACCESS_KEY ?? 'no secret'));
    const { json: description } = await curl(mount, '/v1/openapi.json', openApiShape);
    assert.ok('/v1/entries/{path}' in description.paths);

    const set = await curl(mount, '/v1/log-level', logLevelShape, posted({ level: 'debug' }, 'PUT'));
    assert.deepEqual(set.json, { level: 'debug', was: 'info' });
    await mount.logged('stage');
    const asked = mount.log().find(({ event, what }) => event === 'asked' && what === 'PUT /v1/log-level');
    assert.equal(typeof asked?.request, 'string');
    const unknown = await curl(mount, '/v1/log-level', problemDetailsShape, posted({ level: 'x' }, 'PUT'));
    assert.deepEqual([unknown.status, unknown.json.code], [400, 'bad-body']);
  });
});
