import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { readStanding } from '../../src/deploy/current-step.ts';
import { deploy } from '../../src/deploy/deploy.ts';
import { readHistory } from '../../src/deploy/history.ts';
import { rollback } from '../../src/deploy/move.ts';
import { requireConditionalWrites } from '../../src/deploy/probe.ts';
import { readContent, readManifest } from '../../src/deploy/read-release.ts';
import { S3ReleaseStore, WRITING_TIMEOUTS } from '../../src/deploy/s3-release-store.ts';
import { collectFile } from '../../src/deploy/source-files.ts';
import type { Credentials } from '../../src/store/credentials.ts';
import { Transport } from '../../src/store/http/transport.ts';
import { settingsOf } from '../store/open-store.ts';
import { identities, type Seaweedfs, seaweedfsBinary, startSeaweedfs } from '../support/seaweedfs.ts';
import {
  type Cleanup,
  defer,
  makeTemporaryDirectory,
  removeTemporaryDirectory,
} from '../support/temporary.ts';
import { deployOptions, wordsOf } from './deploy-options.ts';

const directory = await makeTemporaryDirectory();
after(() => removeTemporaryDirectory(directory));

const skip =
  seaweedfsBinary() === undefined && process.env.DAGMOUNT_TEST_S3 === undefined
    ? 'SeaweedFS is not installed: scripts/test does that'
    : false;

describe('a release root in a real store', { skip }, () => {
  let seaweedfs: Seaweedfs;
  let bucket: string;
  const signal = new AbortController().signal;

  before(async () => {
    seaweedfs = await startSeaweedfs();
    bucket = await seaweedfs.createBucket();
  });
  after(async () => {
    await seaweedfs?.stop();
  });

  async function open(
    test: Cleanup,
    { credentials = identities.admin as Credentials, endpoint = seaweedfs.endpoint, root = 'airflow/' } = {},
  ): Promise<S3ReleaseStore> {
    const transport = new Transport(settingsOf({ connections: 32, timeouts: WRITING_TIMEOUTS }));
    defer(test, () => transport.close());
    const { origin, host } = new URL(endpoint);
    const store = await S3ReleaseStore.open({
      transport,
      delay: (milliseconds, stop) => sleep(milliseconds, undefined, { signal: stop }),
      credentials: async () => credentials,
      target: {
        bucket,
        prefix: root,
        origin,
        host,
        basePath: `/${bucket}/`,
        region: 'us-east-1',
        service: 's3',
        endpoint: origin,
        requestPayer: false,
        anonymous: false,
      },
    });
    defer(test, async () => store.close());
    return store;
  }

  const optionsOf = (store: S3ReleaseStore, author: string) =>
    deployOptions({
      store,
      root: 'airflow',
      words: wordsOf(author),
      pause: (tries, stop) => sleep(tries * 50 * Math.random(), undefined, { signal: stop }),
      signal,
    });

  test('heeds conditions, reads, lists behind a key, and removes', async (t) => {
    const store = await open(t, { root: 'plain/' });
    await requireConditionalWrites(store, { endpoint: seaweedfs.endpoint, bucket }, signal);
    assert.equal((await store.create('a', Buffer.from('one'), signal)).kind, 'written');
    assert.equal((await store.create('a', Buffer.from('two'), signal)).kind, 'refused');
    const { etag } = (await store.read('a', 100, signal))!;
    assert.equal((await store.replace('a', Buffer.from('three'), etag, signal)).kind, 'written');
    assert.equal((await store.replace('a', Buffer.from('four'), etag, signal)).kind, 'refused');
    assert.equal((await store.replace('missing', Buffer.from('five'), etag, signal)).kind, 'refused');
    assert.equal(Buffer.from((await store.read('a', 100, signal))!.bytes).toString(), 'three');
    assert.equal(Buffer.from((await store.readRange('a', 1, 3, signal))!).toString(), 'hre');
    assert.equal(await store.read('missing', 100, signal), undefined);
    assert.equal(await store.readRange('missing', 0, 1, signal), undefined);
    await assert.rejects(store.read('a', 2, signal), {
      code: 'malformed',
      message: 'a has 5 bytes, where 2 are the most',
    });
    // The first range reaches beyond the object's end, and the second one begins there.
    assert.equal(Buffer.from((await store.readRange('a', 3, 10, signal))!).toString(), 'ee');
    assert.equal((await store.readRange('a', 5, 3, signal))!.length, 0);
    await store.create('b', Buffer.from('b'), signal);
    assert.deepEqual(
      (await store.list('', signal)).filter((key) => !key.startsWith('meta/')),
      ['a', 'b'],
    );
    assert.deepEqual(
      (await store.list('', signal, 'a')).filter((key) => !key.startsWith('meta/')),
      ['b'],
    );
    await store.remove(['a', 'missing'], signal);
    assert.equal(await store.read('a', 100, signal), undefined);
  });

  test('takes the deploys of 12 writers at once, each of its own file, as one chain; and is rolled back', async (t) => {
    const store = await open(t);
    const writers = Array.from({ length: 12 }, (_, at) => `writer-${at}`);
    const patient = async (author: string): Promise<void> => {
      const source = join(directory, author);
      writeFileSync(source, `# by ${author}`);
      const files = [await collectFile(source, `${author}.py`)];
      for (;;) {
        try {
          const end = await deploy({ kind: 'files', files, removed: [] }, optionsOf(store, author));
          assert.equal(end.kind, 'deployed');
          return;
        } catch (error) {
          // More than five other writers were faster, so this one tries again.
          if ((error as { code?: unknown }).code !== 'overtaken') throw error;
        }
      }
    };
    await Promise.all(writers.map(patient));
    const steps = await readHistory({
      store,
      environment: 'production',
      most: 100,
      signers: undefined,
      concurrency: 8,
      signal,
    });
    assert.deepEqual(
      steps.flatMap(({ flaws }) => flaws),
      [],
    );
    assert.deepEqual(new Set(steps.map(({ step }) => step?.payload.author)), new Set(writers));
    assert.equal(steps.length, writers.length);
    const { step } = await readStanding(store, 'production', signal);
    const { files } = await readManifest(store, step!.payload, signal);
    assert.deepEqual(
      new Set(files.map(({ path }) => path)),
      new Set(writers.map((author) => `${author}.py`)),
    );
    for (const file of files) {
      assert.equal(
        Buffer.from(await readContent(store, file, signal)).toString(),
        `# by ${file.path.slice(0, -3)}`,
      );
    }
    const moved = await rollback(
      { kind: 'sequence', sequence: 1 },
      { ...optionsOf(store, 'zoe'), allowDeletions: true },
    );
    assert.equal(moved.step.payload.sequence, writers.length + 1);
    assert.equal(moved.changes.removed.length, writers.length - 1);
  });

  test('that may not be written to is named, with the permission that is missing', async (t) => {
    const store = await open(t, { credentials: identities.reader });
    const written = store.create('packs/x', Buffer.from('x'), signal);
    await assert.rejects(written, {
      code: 'denied',
      hint: new RegExp(`s3:PutObject on arn:aws:s3:::${bucket}/airflow/packs/\\*`),
    });
  });

  test('that cannot be reached is an error that says so', async (t) => {
    const store = await open(t, { endpoint: 'http://127.0.0.1:9' });
    await assert.rejects(store.read('a', 1, signal), { code: 'unreachable' });
  });
});
