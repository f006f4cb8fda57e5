import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { markDigest } from '../../src/base/content-digest.ts';
import { persistedFiles } from '../../src/base/persisted-files.ts';
import { CHUNK_BYTES } from '../../src/cache/chunks.ts';
import { VERIFIED_HEAD_BYTES } from '../../src/state/verified-file.ts';
import { testedDriver } from '../support/driver.ts';
import { type Mount, mountImpossible } from '../support/mount.ts';
import { isReleased } from '../support/shape.ts';
import { supervisorMissing } from '../support/supervised.ts';
import { type Cleanup, temporaryDirectory } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';
import { mountStore, openStore } from './fixture.ts';
import { digest, Holder, startProxied, takeDown } from './proxied.ts';

/** Appended to a blob's path: the target of a symlink in the blob's place. */
const MOVED = '-moved';

const damages: Readonly<Record<string, (blob: string) => void>> = {
  'one bit': (blob) => {
    const bytes = readFileSync(blob);
    bytes[1_000]! ^= 1;
    writeFileSync(blob, bytes);
  },
  truncated: (blob) => truncateSync(blob, 2_000),
  removed: (blob) => rmSync(blob),
  'replaced by a directory': (blob) => {
    rmSync(blob);
    mkdirSync(join(blob, 'inside'), { recursive: true });
  },
  'replaced by a symlink': (blob) => {
    const elsewhere = blob + MOVED;
    writeFileSync(elsewhere, readFileSync(blob));
    rmSync(blob);
    symlinkSync(elsewhere, blob);
  },
};
/** A file past the prefetch bound; damageAll flips one bit of its first chunk too. */
const LARGE = 'large.bin';
const paths = [...Object.keys(damages).map((name) => `${name}.py`), LARGE];

/** The path of the blob of a file, or of its first chunk, by the blobs' labels. A release's label has only a digest. */
function blobOf(mount: Pick<Mount, 'cacheDirectory'>, path: string, bytes: Uint8Array): string {
  const blobs = readdirSync(join(mount.cacheDirectory, 'v1'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.parentPath.includes('/blobs/') && !entry.name.endsWith(MOVED))
    .map((entry) => join(entry.parentPath, entry.name));
  const identity = isReleased ? `"etag":"${markDigest(digest(bytes))}"` : `"path":"${path}"`;
  const named = (blob: string): boolean => {
    const label = readFileSync(blob).subarray(-1_000).toString('latin1');
    return label.includes(identity) && /"chunk":(null|0)\b/.test(label);
  };
  const found = blobs.filter(named);
  assert.equal(found.length, 1, `one blob of ${path}`);
  return found[0]!;
}

/** Opens and reads all files, so that the cache holds their content. */
async function holdAll(
  t: Cleanup,
  mount: Mount,
  files: ReadonlyMap<string, Uint8Array>,
): Promise<ReadonlyMap<string, Holder>> {
  const holders = new Map<string, Holder>();
  for (const [path, bytes] of files) {
    const holder = await Holder.open(t, mount, path);
    assert.equal(await holder.read(0, 5_000), digest(bytes, 0, 5_000));
    holders.set(path, holder);
  }
  return holders;
}

function damageAll(mount: Pick<Mount, 'cacheDirectory'>, files: ReadonlyMap<string, Uint8Array>): void {
  // Look for all blobs first: a damaged one may have no label any more.
  const blobs = new Map([...files].map(([path, bytes]) => [path, blobOf(mount, path, bytes)]));
  for (const [path, blob] of blobs) (damages[path.slice(0, -3)] ?? damages['one bit']!)(blob);
}

/** Of how many whole files a successor will know that they are verified. */
function verified(mount: Mount): number {
  const directory = mount.socket().slice(0, -'.sock'.length);
  const records = readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter(({ name }) => name === persistedFiles.verified.name)
    .map(({ parentPath, name }) => readFileSync(join(parentPath, name)).subarray(VERIFIED_HEAD_BYTES));
  const counts = records.map(
    (record) => new BigUint64Array(Uint8Array.from(record).buffer).filter(Boolean).length,
  );
  return Math.max(0, ...counts);
}

function counted(mount: Mount): number {
  return mount.log().filter(({ event }) => event === 'cache-corrupt').length;
}

describe('promise 9, no rotten bytes: a cached blob that is altered on disk', {
  skip: mountImpossible,
  concurrency: 3,
}, () => {
  const contents = (): Map<string, Uint8Array> =>
    new Map(paths.map((path) => [path, randomBytes(path === LARGE ? CHUNK_BYTES + 5_000 : 5_000)]));

  test('while the daemon runs is never served, is counted, and is fetched again', async (t) => {
    const files = contents();
    const proxied = await startProxied(t, await openStore(t, files));
    const mount = await mountStore(t, proxied);
    const holders = await holdAll(t, mount, files);
    damageAll(mount, files);
    const before = proxied.gets.length;
    for (const [path, holder] of holders) {
      await holder.drop();
      assert.equal(await holder.read(0, 5_000), digest(files.get(path)!, 0, 5_000), path);
    }
    assert.equal(counted(mount), paths.length);
    // The daemon downloads a release's large file as a whole, and keeps that download for a while.
    assert.equal(proxied.gets.length - before, paths.length - (isReleased ? 1 : 0));
    for (const [path, bytes] of files) assert.ok(blobOf(mount, path, bytes), `${path} is cached again`);
  });

  // No server resumes a connection of fuse-native, so none records what is verified.
  if (testedDriver === 'kernel') {
    test('before its server is killed is not served by the next server, which knows what was verified', {
      skip: supervisorMissing,
    }, async (t) => {
      const files = contents();
      const proxied = await startProxied(t, await openStore(t, files));
      const mount = await mountStore(t, proxied);
      const holders = await holdAll(t, mount, files);
      await waitFor('the record of what is verified', () => verified(mount) >= files.size - 1);
      damageAll(mount, files);
      process.kill(await mount.serverPid(), 'SIGKILL');
      for (const [path, holder] of holders) {
        await holder.drop();
        assert.equal(await holder.read(0, 5_000), digest(files.get(path)!, 0, 5_000), path);
      }
    });
  }

  test('while the store is down is EIO and not other bytes, and is fetched again when that is back', async (t) => {
    const files = contents();
    const proxied = await startProxied(t, await openStore(t, files));
    // A read that waited for this deadline would wait longer than this test does.
    const mount = await mountStore(t, proxied, { args: ['--read-deadline', '10m'] });
    const holders = await holdAll(t, mount, files);
    damageAll(mount, files);
    await takeDown(proxied, mount);
    for (const [path, holder] of holders) {
      await holder.drop();
      assert.equal(await holder.read(0, 5_000), 'EIO', path);
      assert.equal(await holder.map(0, 5_000), 'SIGBUS', path);
    }
    assert.equal(counted(mount), paths.length);
    await proxied.proxy.comeUp();
    for (const [path, holder] of holders) {
      const good = digest(files.get(path)!, 0, 5_000);
      await waitFor(`${path} to be fetched again`, async () => (await holder.read(0, 5_000)) === good);
    }
  });

  test('while no daemon runs is found at the latest when it is first opened', async (t) => {
    const files = contents();
    const cacheDirectory = join(await temporaryDirectory(t), 'cache');
    const target = join(await temporaryDirectory(t), 'dags');
    mkdirSync(target);
    const proxied = await startProxied(t, await openStore(t, files));
    const first = await mountStore(t, proxied, { cacheDirectory, target });
    const holder = await Holder.open(t, first, LARGE);
    assert.equal(await holder.read(0, 5_000), digest(files.get(LARGE)!, 0, 5_000));
    holder.kill();
    await holder.done;
    await first.stop();
    damageAll({ cacheDirectory }, files);
    const mount = await mountStore(t, proxied, { cacheDirectory, target });
    await takeDown(proxied, mount);
    // The daemon finds a wrong size or file type at its start; it finds one bit only by reading the whole blob.
    for (const path of ['one bit.py', LARGE]) {
      const reader = await Holder.open(t, mount, path);
      assert.equal(await reader.read(0, 5_000), 'EIO', path);
    }
    await proxied.proxy.comeUp();
    for (const [path, bytes] of files) {
      const reader = await Holder.open(t, mount, path);
      const good = digest(bytes, 0, 5_000);
      await waitFor(`${path} to be fetched again`, async () => (await reader.read(0, 5_000)) === good);
    }
    const recovered = await mount.logged('cache-recovered');
    assert.equal(
      Number(recovered.corrupt) + counted(mount),
      paths.length - 1,
      'all but the one that is gone',
    );
  });

  test('in its permissions alone is verified again, and served', async (t) => {
    const bytes = randomBytes(5_000);
    const proxied = await startProxied(t, await openStore(t, new Map<string, Uint8Array>([['a.py', bytes]])));
    const mount = await mountStore(t, proxied);
    const holder = await Holder.open(t, mount, 'a.py');
    assert.equal(await holder.read(0, 5_000), digest(bytes));
    chmodSync(blobOf(mount, 'a.py', bytes), 0o666);
    await holder.drop();
    assert.equal(await holder.read(0, 5_000), digest(bytes));
    assert.equal(counted(mount), 0);
  });
});
