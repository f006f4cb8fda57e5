import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import type { ShownSource } from '../../src/config/shown-source.ts';
import { rememberFailure, SourceClient } from '../../src/source/worker/source-client.ts';
import { carry, uncarry } from '../../src/source/worker/source-messages.ts';
import { failureOf, SyncError } from '../../src/sync/failure.ts';
import { FakeStore } from '../store/fake-store.ts';
import { CREDENTIALS, patience, settingsOf, TARGET } from '../store/open-store.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { type Cleanup, defer, temporaryDirectory } from '../support/temporary.ts';

const GOOD = 'e1';

function row(
  key: string,
  fields: { readonly date?: string; readonly etag?: string; readonly size?: string } = {},
) {
  const { date = '2026-01-02T03:04:05.000Z', etag = GOOD, size = '5' } = fields;
  return `<Contents><Key>dags/${key}</Key><LastModified>${date}</LastModified><ETag>"${etag}"</ETag><Size>${size}</Size></Contents>`;
}

function clientOf(t: Cleanup, worker: Worker, origin: string, shown: ShownSource): SourceClient {
  const client = new SourceClient({
    worker,
    setUp: {
      target: { ...TARGET, origin, host: new URL(origin).host },
      transport: settingsOf(),
      patterns: { include: [], exclude: [], executable: [] },
      salt: 7n,
      shown,
    },
    credentials: async () => CREDENTIALS,
    log: new RecordingLog(),
    observer: { request: () => undefined, bytes: () => undefined },
  });
  defer(t, () => client.close());
  return client;
}

/** The source worker of a server, over a fake store. `builtOf` sets the listing that the store answers. */
async function workerOver(t: Cleanup, shown: ShownSource = { kind: 'prefix', watchKey: undefined }) {
  const store = await FakeStore.start(t, () => ({
    status: shown.kind === 'prefix' ? 200 : 404,
    body: shown.kind === 'prefix' ? '' : '<Error><Code>NoSuchKey</Code></Error>',
  }));
  const worker = new Worker(new URL('../../src/entry/source-worker.js', import.meta.url));
  const client = clientOf(t, worker, store.origin, shown);
  let previous: Awaited<ReturnType<SourceClient['build']>> | undefined;
  /** Lists these rows, and builds their tree. */
  const builtOf = async (rows: readonly string[]) => {
    const body = `<ListBucketResult><IsTruncated>false</IsTruncated>${rows.join('')}</ListBucketResult>`;
    store.answering = () => ({ status: 200, body });
    const look = await client.look({ signal: patience() });
    assert.ok(look.kind === 'candidate');
    const { digest } = look.candidate;
    previous = await client.build({
      digest,
      previous: previous?.generation,
      removedDirectories: new Map(),
      nextNodeId: previous?.nextNodeId ?? 2,
      signal: patience(),
    });
    const { generation, problems } = previous;
    const shown = Array.from({ length: generation.entries }, (_, i) => i)
      .filter((i) => !generation.isDirectory(i))
      .map((i) => `${generation.path(i)} ${generation.etag(i)} ${generation.size(i)}`)
      .sort();
    return { ...previous, digest, shown, told: problems.map(({ key, reason }) => [key, reason]) };
  };
  return { builtOf, client };
}

describe('the source worker', () => {
  test('that fails before anything is asked of it fails what is asked later', async (t) => {
    const worker = new Worker('throw new Error("it cannot be loaded")', { eval: true });
    rememberFailure(worker);
    await new Promise((resolve) => worker.once('exit', resolve));
    const client = clientOf(t, worker, 'http://localhost:1', { kind: 'prefix', watchKey: undefined });
    await assert.rejects(client.look({ signal: patience() }), /it cannot be loaded/);
  });

  test('tells of one odd object by its key, and shows the others', async (t) => {
    const { builtOf } = await workerOver(t);
    const { shown, told } = await builtOf([
      row('a.py'),
      row('b.py', { date: 'yesterday' }),
      row('c.py', { size: 'many' }),
      row(`d${'x'.repeat(5000)}`),
      row('e//f.py', { size: '-1', date: '' }),
      row('g.py', { date: 'Fri, 02 Jan 2026 03:04:05 GMT' }),
    ]);
    assert.deepEqual(shown, ['a.py e1 5', 'b.py e1 5', 'g.py e1 5']);
    assert.deepEqual(told, [
      ['b.py', 'bad-date'],
      ['c.py', 'bad-size'],
      [`d${'x'.repeat(254)}…`, 'too-long'],
      ['e//f.py', 'empty-component'],
    ]);
  });

  test('gives equal digests of equal listings, odd objects or not, and keeps what it showed', async (t) => {
    const { builtOf } = await workerOver(t);
    const first = await builtOf([row('a.py'), row('b.py', { date: 'yesterday' })]);
    const odd = [row('a.py', { size: 'five', etag: 'e2' }), row('b.py', { date: '' })];
    const second = await builtOf(odd);
    const third = await builtOf(odd);
    assert.notEqual(second.digest, first.digest);
    assert.equal(third.digest, second.digest);
    for (const { generation, shown } of [second, third]) {
      assert.deepEqual(shown, ['a.py e1 5', 'b.py e1 5']);
      assert.equal(generation.id, first.generation.id);
    }
    assert.deepEqual(third.told, [
      ['a.py', 'bad-size'],
      ['b.py', 'bad-date'],
    ]);
    assert.deepEqual((await builtOf([row('b.py')])).shown, ['b.py e1 5']);
    assert.deepEqual((await builtOf([row('b.py')])).told, []);
  });

  test('names a thousand of ten thousand odd objects, and counts all', async (t) => {
    const { builtOf } = await workerOver(t);
    const rows = Array.from({ length: 10_000 }, (_, i) => row(String(i).padStart(6, '0'), { date: 'x' }));
    const { problems, unnamedProblems, generation } = await builtOf(rows);
    assert.deepEqual([problems.length, generation.problems], [1_000, 10_000]);
    assert.deepEqual([...(unnamedProblems ?? [])], [['bad-date', 9_000]]);
  });

  test('tells of a state directory that takes no writes, whatever the ref is', async (t) => {
    const stateDirectory = join(await temporaryDirectory(t), 'state');
    await writeFile(stateDirectory, 'no directory');
    const release = {
      kind: 'release' as const,
      root: 's3://b/r',
      environment: 'production',
      minSequence: 0,
      stateDirectory,
    };
    const { client } = await workerOver(t, { ...release, allowedSigners: undefined });
    const look = await client.look({ signal: patience() });
    assert.equal(look.kind, 'held');
    assert.equal(look.isStepUnkept, true);
  });

  test('hands on what is wrong with its code, and what to do', () => {
    const error = new SyncError(
      'state-dir-unwritable',
      'The directory takes no writes.',
      'Make it writable.',
    );
    const carried = structuredClone(carry(error));
    assert.deepEqual(failureOf(uncarry(carried)), failureOf(error));
    assert.deepEqual(failureOf(uncarry(structuredClone(carry(new TypeError('x'))))).code, 'internal');
  });
});
