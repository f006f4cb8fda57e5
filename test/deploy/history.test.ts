import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { type Deployed, deploy } from '../../src/deploy/deploy.ts';
import { readHistory } from '../../src/deploy/history.ts';
import { collectDirectory } from '../../src/deploy/source-files.ts';
import { releaseKeys } from '../../src/release/index.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../support/temporary.ts';
import { writeTree } from '../support/write-tree.ts';
import { deployOptions } from './deploy-options.ts';
import { MemoryReleaseStore } from './memory-release-store.ts';

const directory = await makeTemporaryDirectory();
after(() => removeTemporaryDirectory(directory));
const { signal } = new AbortController();

let folders = 0;
async function tree(files: Readonly<Record<string, string>>): Promise<Deployed> {
  const folder = join(directory, `tree-${folders++}`);
  writeTree(folder, files);
  const options = { shows: () => true, excludes: () => false, signal };
  return { kind: 'tree', files: await collectDirectory(folder, options) };
}

describe('the history of an environment', () => {
  const history = (store: MemoryReleaseStore, most = 10) =>
    readHistory({ store, environment: 'production', most, signers: undefined, concurrency: 4, signal });

  async function three(): Promise<MemoryReleaseStore> {
    const store = new MemoryReleaseStore();
    for (const text of ['1', '2', '3'])
      await deploy(await tree({ a: text }), deployOptions({ store, signal }));
    return store;
  }

  test('is without a flaw, the newest first, also where the newest is not yet written down', async () => {
    const store = await three();
    store.objects.delete(releaseKeys.logEntry('production', 3));
    const steps = await history(store);
    assert.deepEqual(
      steps.map(({ sequence }) => sequence),
      [3, 2, 1],
    );
    assert.deepEqual(
      steps.flatMap(({ flaws }) => flaws),
      [],
    );
    assert.deepEqual(
      (await history(store, 2)).map(({ sequence }) => sequence),
      [3, 2],
    );
  });

  test('tells of a step that is missing, one that was replaced, and one that cannot be read', async () => {
    const missing = await three();
    missing.objects.delete(releaseKeys.logEntry('production', 2));
    assert.match((await history(missing))[0]!.flaws.join(), /step 2 is missing/);

    const replaced = await three();
    const other = await three();
    replaced.objects.set(
      releaseKeys.logEntry('production', 2),
      other.objects.get(releaseKeys.logEntry('production', 2))!,
    );
    assert.match((await history(replaced))[0]!.flaws.join(), /another one than it names/);

    const unreadable = await three();
    unreadable.objects.set(releaseKeys.logEntry('production', 2), Buffer.from('{'));
    assert.match((await history(unreadable))[1]!.flaws.join(), /not JSON/);

    const forged = await three();
    forged.objects.set(
      releaseKeys.logEntry('production', 3),
      other.objects.get(releaseKeys.logEntry('production', 3))!,
    );
    assert.match((await history(forged))[0]!.flaws.join(), /another step under this number than the ref/);
  });

  test('is told by its log where the ref is missing, was put back, is of another environment or is none', async () => {
    const ref = releaseKeys.ref('production');
    const entry = (sequence: number) => releaseKeys.logEntry('production', sequence);
    const told = async (change: (store: MemoryReleaseStore) => unknown): Promise<string> => {
      const store = await three();
      await change(store);
      const steps = await history(store);
      assert.deepEqual(
        steps.map(({ sequence }) => sequence),
        [3, 2, 1],
      );
      assert.deepEqual(
        steps.slice(1).flatMap(({ flaws }) => flaws),
        [],
      );
      return steps[0]!.flaws.join();
    };
    assert.equal(await told(() => undefined), '');
    assert.match(await told(({ objects }) => objects.delete(ref)), /^the ref is missing/);
    assert.match(
      await told(({ objects }) => objects.set(ref, objects.get(entry(1))!)),
      /^the ref is at step 1: an earlier one was put back/,
    );
    assert.match(
      await told(({ objects }) => objects.set(ref, Buffer.from('{'))),
      /^the ref cannot be used: .*not JSON/,
    );
    const copied = await told(async (store) => {
      await deploy(await tree({ a: 's' }), deployOptions({ store, signal, environment: 'staging' }));
      store.objects.set(ref, store.objects.get(releaseKeys.ref('staging'))!);
    });
    assert.match(copied, /^the ref cannot be used: .*staging/);

    const bare = new MemoryReleaseStore();
    bare.objects.set(ref, Buffer.from('{'));
    await assert.rejects(history(bare), { code: 'malformed' });
  });
});
