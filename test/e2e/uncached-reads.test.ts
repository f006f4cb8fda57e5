import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { CHUNK_BYTES } from '../../src/cache/chunks.ts';
import { mountImpossible } from '../support/mount.ts';
import { python, read, shell, startReader } from '../support/reader.ts';
import { repository } from '../support/repository.ts';
import { type Cleanup, defer, temporaryDirectory } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';
import { mountStore, openStore } from './fixture.ts';
import { digest, Holder, startProxied, takeDown } from './proxied.ts';

const MIB = 2 ** 20;
/** Longer than any test waits: a read that ends at once did not wait for this deadline. */
const patient = ['--read-deadline', '10m'];

describe('a read of what is not cached', { skip: mountImpossible, concurrency: 3 }, () => {
  test('fetches each part once however many read it, by ranges of one version', async (t) => {
    const bytes = randomBytes(20 * MIB);
    const store = await openStore(t);
    const etag = await store.put('dags/a.bin', bytes);
    const proxied = await startProxied(t, store);
    const mount = await mountStore(t, proxied, { args: patient });
    assert.equal(proxied.gets.length, 0);
    const sums = await Promise.all(
      Array.from({ length: 6 }, () => read('sha256sum', [join(mount.tree, 'a.bin')])),
    );
    for (const sum of sums) assert.equal(sum.split(' ')[0], digest(bytes));
    const ranges = [0, 1, 2].map((chunk) => {
      const end = Math.min((chunk + 1) * CHUNK_BYTES, bytes.length);
      return `bytes=${chunk * CHUNK_BYTES}-${end - 1} if "${etag}"`;
    });
    const asked = proxied.gets.map(({ header }) => `${header('range')} if ${header('if-match')}`);
    assert.deepEqual(asked.sort(), ranges.sort());
  });

  test('of the tail of a zip file fetches no more than its end, and imports work', async (t) => {
    const directory = await temporaryDirectory(t);
    const script = [
      'import sys, zipfile, random',
      'random.seed(1)',
      'with zipfile.ZipFile(sys.argv[1], "w") as bundle:',
      '    bundle.writestr("first.py", "VALUE = 1")',
      '    for i in range(6): bundle.writestr(f"data{i}.bin", random.randbytes(7 << 20))',
      '    bundle.writestr("last.py", "VALUE = 41 + 1")',
    ].join('\n');
    const local = join(directory, 'bundle.zip');
    await python(script, [local]);
    const store = await openStore(t, new Map<string, Uint8Array>([['bundle.zip', await readFile(local)]]));
    const proxied = await startProxied(t, store);
    const mount = await mountStore(t, proxied, { args: patient });
    const bundle = join(mount.tree, 'bundle.zip');
    const isZip = await python('import sys, zipfile; print(zipfile.is_zipfile(sys.argv[1]))', [bundle]);
    assert.equal(isZip, 'True\n');
    assert.ok(proxied.gets.length <= 2, `${proxied.gets.length} of 6 chunks for the tail`);
    const imports =
      'import sys; sys.path.insert(0, sys.argv[1]); import last, first; print(last.VALUE, first.VALUE)';
    assert.equal(await python(imports, [bundle]), '42 1\n');
    assert.ok(proxied.gets.length <= 4, `${proxied.gets.length} of 6 chunks for two members`);
    const test = 'import sys, zipfile; print(zipfile.ZipFile(sys.argv[1]).testzip())';
    assert.equal(await python(test, [bundle]), 'None\n');
    assert.equal(proxied.gets.length, 6, 'each chunk once');
  });

  test('is EIO at the read deadline where the store does not answer, and right afterwards', async (t) => {
    const bytes = randomBytes(9 * MIB);
    const proxied = await startProxied(
      t,
      await openStore(t, new Map<string, Uint8Array>([['a.bin', bytes]])),
    );
    const mount = await mountStore(t, proxied, { args: ['--read-deadline', '500ms'] });
    proxied.fault = () => ({ hang: true });
    const holder = await Holder.open(t, mount, 'a.bin');
    assert.equal(await holder.read(0, 4096), 'EIO');
    assert.equal(await holder.map(0, 4096), 'SIGBUS');
    proxied.fault = () => undefined;
    // On a busy host, some of its requests miss this deadline, too.
    await waitFor('the content', async () => (await holder.read(0, bytes.length)) === digest(bytes));
    assert.equal(await shell(mount.tree, 'sha256sum < a.bin'), `${digest(bytes)}  -\n`);
  });

  test('is EIO at once while the store is known to be down, also for who waits already', async (t) => {
    const files = ['a.bin', 'b.bin'].map((path) => [path, randomBytes(9 * MIB)] as const);
    const proxied = await startProxied(t, await openStore(t, new Map(files)));
    const mount = await mountStore(t, proxied, { args: patient });
    proxied.fault = () => ({ hang: true });
    const waiting = await Holder.open(t, mount, 'a.bin');
    const answer = waiting.read(0, 4096);
    await waitFor('the read to wait for the store', () => proxied.gets.length > 0);
    await takeDown(proxied, mount);
    assert.equal(await answer, 'EIO');
    const later = await Holder.open(t, mount, 'b.bin');
    for (let block = 0; block < 20; block += 1) assert.equal(await later.read(block * 65_536, 4096), 'EIO');
    proxied.fault = () => undefined;
    await proxied.proxy.comeUp();
    for (const [path, bytes] of files) {
      const holder = path === 'a.bin' ? waiting : later;
      await waitFor(`${path}`, async () => (await holder.read(0, bytes.length)) === digest(bytes));
    }
  });

  for (const [how, command] of [
    ['read', 'dd if="$0" of=/dev/null bs=4096 count=1 2>/dev/null'],
    ['read past the page cache', 'dd if="$0" of=/dev/null bs=4096 count=1 iflag=direct 2>/dev/null'],
    [
      'page fault',
      'exec python3 -c "import mmap, os, sys; mmap.mmap(os.open(sys.argv[1], 0), 0, prot=1)[0]" "$0"',
    ],
  ] as const) {
    test(`can be killed while it waits, in a ${how}, and the next one is served`, async (t) => {
      const bytes = randomBytes(9 * MIB);
      const proxied = await startProxied(
        t,
        await openStore(t, new Map<string, Uint8Array>([['a.bin', bytes]])),
      );
      const mount = await mountStore(t, proxied, { args: patient });
      proxied.fault = () => ({ hang: true });
      const reader = startReader('sh', [
        '-c',
        `exec ${command.replace(/^exec /, '')}`,
        join(mount.tree, 'a.bin'),
      ]);
      await waitFor('the read to wait for the store', () => proxied.gets.length > 0);
      reader.kill();
      assert.equal((await reader.done).code, null, 'it died of the signal');
      proxied.fault = () => undefined;
      assert.equal(await shell(mount.tree, 'sha256sum < a.bin'), `${digest(bytes)}  -\n`);
    });
  }

  test('goes before what is fetched ahead of another reader', async (t) => {
    const [large, small] = [randomBytes(40 * MIB), randomBytes(9 * MIB)];
    const store = await openStore(
      t,
      new Map<string, Uint8Array>([
        ['large.bin', large],
        ['small.bin', small],
      ]),
    );
    const proxied = await startProxied(t, store);
    const mount = await mountStore(t, proxied, { args: [...patient, '--concurrency', '4'] });
    const holder = await Holder.open(t, mount, 'large.bin');
    const isFor =
      (path: string, from: number) => (request: { url: string; header(name: string): string | undefined }) =>
        request.url.includes(path) && Number(/\d+/.exec(request.header('range') ?? '')?.[0] ?? 0) >= from;
    // The store sends the first two chunks; the requests ahead of the reader hang.
    proxied.fault = (request) => (isFor('large', 2 * CHUNK_BYTES)(request) ? { hang: true } : undefined);
    assert.equal(await holder.read(0, 10 * MIB), digest(large, 0, 10 * MIB));
    await waitFor('something to be fetched ahead', () => proxied.gets.some(isFor('large', 2 * CHUNK_BYTES)));
    assert.equal(await shell(mount.tree, 'sha256sum < small.bin'), `${digest(small)}  -\n`);
    proxied.fault = () => undefined;
    assert.equal(await holder.read(0, large.length), digest(large));
  });
});

async function smallDisk(context: Cleanup, bytes: number): Promise<string> {
  const run = promisify(execFile);
  const directory = await temporaryDirectory(context);
  await run('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'dagmount-test', directory]);
  defer(context, async () => {
    await run('umount', ['-l', directory]);
  });
  return directory;
}

describe('a cache that is too small', { skip: mountImpossible }, () => {
  test('for one file, or for a part of one, lets reads go through to the store', async (t) => {
    const files = new Map<string, Uint8Array>([
      ['whole.bin', randomBytes(3 * MIB)],
      ['parts.bin', randomBytes(30 * MIB)],
      ['small.py', randomBytes(10_000)],
    ]);
    const store = await openStore(t, files);
    for (const size of ['1MiB', '20MiB']) {
      const mount = await mountStore(t, store, { args: ['--cache-size', size] });
      for (const [path, bytes] of files) {
        assert.equal(
          await shell(mount.tree, `sha256sum < ${path}`),
          `${digest(bytes)}  -\n`,
          `${path}, ${size}`,
        );
      }
      await mount.stop();
    }
  });

  test('never serves a wrong byte, nor fails a read, while it evicts under load', async (t) => {
    const directory = join(await temporaryDirectory(t), 'local');
    await mkdir(directory);
    const files = new Map<string, Uint8Array>();
    for (let index = 0; index < 10; index += 1) files.set(`f${index}.bin`, randomBytes(2 * MIB + index));
    for (let index = 0; index < 3; index += 1) files.set(`g${index}.bin`, randomBytes(17 * MIB + index));
    for (const [path, bytes] of files) await writeFile(join(directory, path), bytes);
    const store = await openStore(t, files);
    const mount = await mountStore(t, store, { args: ['--cache-size', '36MiB', '--prefetch', '0'] });
    const readers = Array.from({ length: 6 }, (_, seed) =>
      read(
        'python3',
        [join(repository, 'test/support/readers/differential.py'), mount.tree, directory, String(seed), '60'],
        { deadlineMs: 240_000 },
      ),
    );
    for (const said of await Promise.all(readers)) assert.equal(said, '60 reads\n');
  });

  test('because its disk is full lets reads go through to the store, and says so', {
    skip: process.getuid?.() !== 0 && 'mounting a small tmpfs needs root',
  }, async (t) => {
    const files = new Map<string, Uint8Array>();
    for (let index = 0; index < 12; index += 1) files.set(`f${index}.bin`, randomBytes(MIB + index));
    files.set('large.bin', randomBytes(18 * MIB));
    const store = await openStore(t, files);
    const disk = await smallDisk(t, 6 * MIB);
    const mount = await mountStore(t, store, { cacheDirectory: join(disk, 'cache') });
    for (const [path, bytes] of files) {
      assert.equal(await shell(mount.tree, `sha256sum < ${path}`), `${digest(bytes)}  -\n`, path);
    }
    await mount.logged('cache-unwritable');
  });
});
