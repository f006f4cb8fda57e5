import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { mountId } from '../../src/config/mount-id.ts';
import { ControlClient } from '../../src/control/client.ts';
import type { Refreshed } from '../../src/control/shapes/status.ts';
import { type Mount, mountImpossible, statusOf } from '../support/mount.ts';
import { read, shell } from '../support/reader.ts';
import { type Cleanup, defer, temporaryDirectory } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';
import { manyFiles, mountStore, openStore, type Store } from './fixture.ts';

const notRoot = process.getuid?.() !== 0 && 'a small tmpfs is mounted as root';

async function smallDisk(t: Cleanup, directory: string, size: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await read('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=700`, 'dagmount-test', directory]);
  defer(t, async () => {
    await read('umount', [directory]);
    await rm(directory, { recursive: true });
  });
}

async function fill(directory: string): Promise<() => Promise<void>> {
  const file = join(directory, 'filling');
  // `cat` ends with ENOSPC, as intended.
  await read('sh', ['-c', 'cat /dev/zero >"$0" 2>/dev/null; true', file]);
  return () => rm(file);
}

async function degraded(mount: Mount): Promise<readonly string[]> {
  return (await statusOf(mount)).degraded;
}

async function shows(mount: Mount, store: Store, path: string, content: string): Promise<void> {
  await store.put(`dags/${path}`, content);
  await waitFor(
    `${path} to be shown`,
    async () => (await shell(mount.target, `cat ${path} 2>/dev/null || true`)) === content,
  );
}

describe('a disk that is full', { skip: mountImpossible || notRoot }, () => {
  test('holds up no publication: the cache, the runtime directory, both; status says so until it is mended', async (t) => {
    const store = await openStore(t, manyFiles(50, 100));
    const directory = await temporaryDirectory(t);
    const target = join(directory, 'dags');
    const cacheDirectory = join(directory, 'cache');
    await mkdir(target);
    const id = mountId({ endpoints: [store.endpoint], bucket: store.bucket, prefix: 'dags/', target });
    const runtime = join('/run/dagmount', id);
    await smallDisk(t, cacheDirectory, '8m');
    await smallDisk(t, runtime, '1m');
    const mount = await mountStore(t, store, { target, cacheDirectory });
    assert.deepEqual(await degraded(mount), []);

    const emptyCache = await fill(cacheDirectory);
    await shows(mount, store, 'one.py', 'the cache is full');
    assert.deepEqual(await degraded(mount), ['cache-full']);
    // Readers see a tree before the server removes the state of the previous tree, which frees space.
    await waitFor(
      'the state before to go',
      async () => !(await readdir(runtime)).includes('takeover.previous'),
    );
    const emptyRuntime = await fill(runtime);
    await shows(mount, store, 'two.py', 'both are full');
    assert.deepEqual((await degraded(mount)).toSorted(), ['cache-full', 'state-unwritable']);
    assert.ok(
      !(await readdir(runtime)).includes('takeover'),
      'no state of another tree is left to a successor',
    );

    await emptyCache();
    await emptyRuntime();
    // After a full disk, the cache tries the disk again only some seconds later, at its next write.
    let more = 0;
    await waitFor(
      'status to be sound',
      async () => {
        more += 1;
        await shows(mount, store, `more_${more}.py`, `there is room: ${more}`);
        return (await degraded(mount)).length === 0;
      },
      60_000,
    );
    // Readers see a tree before the daemon reports its number; /v1/refresh answers once the number is reported.
    const asked = { method: 'POST', body: { wait: true }, deadlineMs: 60_000 } as const;
    const { generation } = await new ControlClient(mount.socket()).ask<Refreshed>('/v1/refresh', asked);
    const number = generation?.number;
    await mount.stop('SIGKILL');
    const next = await mountStore(t, store, { target, cacheDirectory });
    assert.equal((await next.logged('restored')).number, number);
    await next.stop();
  });
});

// test/state/state-store.test.ts: the store refuses all of these, every bit and every length. Here: the mount works.
const damagesToTry = process.env.DAGMOUNT_TEST_LONG === undefined ? 1 : Number.POSITIVE_INFINITY;

describe('a kept tree that is damaged', { skip: mountImpossible }, () => {
  const damages: Readonly<Record<string, (file: string, bytes: Buffer) => Promise<void>>> = {
    'has a bit that differs': async (file, bytes) => {
      bytes[bytes.length >>> 1]! ^= 4;
      await writeFile(file, bytes);
    },
    'is cut off': (file, bytes) => writeFile(file, bytes.subarray(0, bytes.length - 1)),
    'is empty': (file) => writeFile(file, ''),
    'is a directory': async (file) => {
      await rm(file);
      await mkdir(join(file, 'within'), { recursive: true });
    },
    'has an older format': async (file, bytes) => {
      bytes.writeUInt32LE(0, 8);
      await writeFile(file, bytes);
    },
  };

  test('is told, and made anew from the store', async (t) => {
    const store = await openStore(t, manyFiles(20, 100));
    const directory = await temporaryDirectory(t);
    const target = join(directory, 'dags');
    const cacheDirectory = join(directory, 'cache');
    await mkdir(target);
    const mount = (): Promise<Mount> => mountStore(t, store, { target, cacheDirectory });
    await (await mount()).stop();
    const [id = ''] = await readdir(join(cacheDirectory, 'v1'));
    const file = join(cacheDirectory, 'v1', id, 'generation');
    for (const [damage, make] of Object.entries(damages).slice(0, damagesToTry)) {
      await make(file, await readFile(file));
      const again = await mount();
      const told = await again.logged('state-unusable');
      assert.equal(told.file, file, `a state that ${damage}`);
      assert.equal((await again.logged('published')).number, 1);
      assert.equal((await shell(target, 'find . -type f | wc -l')).trim(), '20');
      await again.stop();
      assert.ok((await readFile(file)).length > 312, 'it is there again');
    }
  });
});
