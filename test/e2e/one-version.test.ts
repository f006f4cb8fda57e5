import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { CHUNK_BYTES } from '../../src/cache/chunks.ts';
import { mountImpossible } from '../support/mount.ts';
import { shell } from '../support/reader.ts';
import { waitFor } from '../support/wait-for.ts';
import { mountStore, openStore } from './fixture.ts';
import { digest, Holder, startProxied } from './proxied.ts';

/** Three chunks, so past the prefetch bound: the daemon fetches it only when it is read. */
const LARGE = 2 * CHUNK_BYTES + 1_000_000;
const LATER = 2 * CHUNK_BYTES;
const claimed = ['--poll-interval', '2s', '--settle', '0'];

describe('promise 1, one version a file: who holds a file open over a change', {
  skip: mountImpossible,
  concurrency: 3,
}, () => {
  for (const end of ['overwritten', 'deleted'] as const) {
    test(`that is ${end} reads on in the old version`, async (t) => {
      const old = randomBytes(600_000);
      const store = await openStore(
        t,
        new Map<string, string | Uint8Array>([
          ['a.py', old],
          ['other.py', ''],
        ]),
      );
      const mount = await mountStore(t, store, { args: claimed });
      const holder = await Holder.open(t, mount, 'a.py');
      assert.equal(await holder.read(0, 4096), digest(old, 0, 4096));
      if (end === 'deleted') await store.delete('dags/a.py');
      else await store.put('dags/a.py', 'new');
      const look = (): Promise<string> => shell(mount.tree, 'cat a.py 2>&1 || true');
      const shown = end === 'deleted' ? 'cat: a.py: No such file or directory\n' : 'new';
      await waitFor('the change', async () => (await look()) === shown);
      await holder.drop();
      assert.equal(await holder.read(0, old.length), digest(old));
    });

    test(`that is ${end}, and has it mapped, reads on in the old version, and gets SIGBUS for what is gone`, async (t) => {
      const [old, large] = [randomBytes(600_000), randomBytes(LARGE)];
      const store = await openStore(
        t,
        new Map<string, string | Uint8Array>([
          ['a.py', old],
          ['a.bin', large],
          ['other.py', ''],
        ]),
      );
      const mount = await mountStore(t, store, { args: claimed });
      const small = await Holder.open(t, mount, 'a.py');
      const past = await Holder.open(t, mount, 'a.bin');
      assert.equal(await past.read(0, 100_000), digest(large, 0, 100_000));
      for (const key of ['dags/a.py', 'dags/a.bin']) {
        if (end === 'deleted') await store.delete(key);
        else await store.put(key, 'new');
      }
      const look = (): Promise<string> => shell(mount.tree, 'cat a.py a.bin 2>&1 || true');
      const gone = 'cat: a.py: No such file or directory\ncat: a.bin: No such file or directory\n';
      await waitFor('the change', async () => (await look()) === (end === 'deleted' ? gone : 'newnew'));
      await small.drop();
      assert.equal(await small.map(0, old.length), digest(old));
      assert.equal(await past.map(LATER, 4096), 'SIGBUS', 'never other bytes through a mapping either');
      await past.drop();
      assert.equal(await past.map(0, CHUNK_BYTES), digest(large, 0, CHUNK_BYTES));
    });

    test(`that is ${end}, past the prefetch bound, reads on what is local, and gets ESTALE for the rest`, async (t) => {
      const [old, next] = [randomBytes(LARGE), randomBytes(LARGE)];
      const store = await openStore(
        t,
        new Map<string, string | Uint8Array>([
          ['a.bin', old],
          ['other.py', ''],
        ]),
      );
      const mount = await mountStore(t, store, { args: claimed });
      const holder = await Holder.open(t, mount, 'a.bin');
      assert.equal(await holder.read(0, 100_000), digest(old, 0, 100_000));
      if (end === 'deleted') await store.delete('dags/a.bin');
      else await store.put('dags/a.bin', next);
      const look = (): Promise<string> => shell(mount.tree, 'sha256sum < a.bin || true');
      const shown = end === 'deleted' ? '' : `${digest(next)}  -\n`;
      await waitFor('the change', async () => (await look()) === shown);
      await holder.drop();
      assert.equal(await holder.read(0, CHUNK_BYTES), digest(old, 0, CHUNK_BYTES));
      assert.equal(await holder.read(LATER, 4096), 'ESTALE');
    });

    test(`that is ${end}, past the prefetch bound, reads on to the end where the bucket keeps versions`, async (t) => {
      const old = randomBytes(LARGE);
      const store = await openStore(t);
      await store.keepVersions();
      await store.putAll(
        new Map<string, string | Uint8Array>([
          ['a.bin', old],
          ['other.py', ''],
        ]),
      );
      const mount = await mountStore(t, store, { args: claimed });
      const holder = await Holder.open(t, mount, 'a.bin');
      assert.equal(await holder.read(0, 100_000), digest(old, 0, 100_000));
      if (end === 'deleted') await store.delete('dags/a.bin');
      else await store.put('dags/a.bin', 'new');
      const look = (): Promise<string> => shell(mount.tree, 'cat a.bin 2>/dev/null || true');
      await waitFor('the change', async () => (await look()) === (end === 'deleted' ? '' : 'new'));
      assert.equal(await holder.read(0, LARGE), digest(old));
    });
  }

  test('gets ESTALE where the bucket keeps versions, and reading those is not granted', async (t) => {
    const old = randomBytes(LARGE);
    const store = await openStore(t);
    await store.keepVersions();
    await store.putAll(new Map<string, string | Uint8Array>([['a.bin', old]]));
    const proxied = await startProxied(t, store);
    const denial =
      '<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>s3:GetObjectVersion</Message></Error>';
    const body = { status: 403, headers: { 'content-type': 'application/xml' }, body: denial };
    proxied.fault = ({ url }) => (url.includes('versionId=') ? { answer: body } : undefined);
    const mount = await mountStore(t, proxied, { args: claimed });
    const holder = await Holder.open(t, mount, 'a.bin');
    assert.equal(await holder.read(0, 100_000), digest(old, 0, 100_000));
    await store.put('dags/a.bin', 'new');
    await waitFor('the change', async () => (await shell(mount.tree, 'cat a.bin || true')) === 'new');
    const read = await holder.read(LATER, 4096);
    // The log names the cause of another error.
    const why = read === 'ESTALE' ? '' : JSON.stringify(await mount.logged('reads-failed'));
    assert.equal(read, 'ESTALE', why);
    assert.ok(proxied.gets.some(({ url }) => url.includes('versionId=')));
  });

  test('gets ESTALE before the change is listed, which is then listed at once', async (t) => {
    const [old, next] = [randomBytes(LARGE), randomBytes(LARGE)];
    const store = await openStore(t, new Map([['a.bin', old]]));
    const mount = await mountStore(t, store, { args: ['--poll-interval', '1h', '--settle', '0'] });
    const holder = await Holder.open(t, mount, 'a.bin');
    assert.equal(await holder.read(0, 100_000), digest(old, 0, 100_000));
    await store.put('dags/a.bin', next);
    assert.equal(await holder.read(LATER, 4096), 'ESTALE');
    await waitFor(
      'a new open to read the new version',
      async () => (await shell(mount.tree, 'sha256sum < a.bin || true')) === `${digest(next)}  -\n`,
    );
    assert.equal(await holder.read(0, CHUNK_BYTES), digest(old, 0, CHUNK_BYTES));
    assert.equal(await holder.read(LATER, 4096), 'ESTALE');
  });
});
