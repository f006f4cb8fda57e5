import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { mountImpossible } from '../support/mount.ts';
import { python, read, shell, startPython } from '../support/reader.ts';
import { testedShape } from '../support/shape.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { writeTree } from '../support/write-tree.ts';
import { manyFiles, mountStore, openStore, type Store } from './fixture.ts';

/** More than one page of a listing; 10,000 with scripts/test --long. */
const count = process.env.DAGMOUNT_TEST_LONG === undefined ? 1_200 : 10_000;
const objects = manyFiles(count, 4096);

describe('a prefix of more objects than one page lists', { skip: mountImpossible }, () => {
  let store: Store;
  /** All mounts have one mount point and one cache, so that only the first mount fetches. */
  let place: { readonly target: string; readonly cacheDirectory: string };
  const suite = { after: (callback: () => Promise<void> | void) => void ends.push(callback) };
  const ends: (() => Promise<void> | void)[] = [];
  const quiet = { args: ['--poll-interval', '1h'] };
  before(async () => {
    store = await openStore(suite, objects);
    const directory = await temporaryDirectory(suite);
    place = { target: join(directory, 'dags'), cacheDirectory: join(directory, 'cache') };
    await mkdir(place.target);
  });
  after(async () => {
    for (const end of ends) await end();
  });

  test('is shown as the tree that was uploaded, byte for byte', async (t) => {
    const copy = await temporaryDirectory(t);
    writeTree(copy, objects);
    const mount = await mountStore(t, store, { ...place, ...quiet });
    assert.equal(await read('diff', ['-r', copy, mount.tree], { deadlineMs: 120_000 }), '');
    assert.equal((await mount.stop()).code, 0);
  });

  test('needs nothing from the daemon for a second scan', async (t) => {
    const mount = await mountStore(t, store, { ...place, ...quiet });
    const expected = { files: count, directories: count / 100 + 1, bytes: count * 4096 };
    const first = await startPython('walk.py', [mount.tree]).done;
    assert.deepEqual(JSON.parse(first.stdout), expected, first.stderr);
    // A stopped daemon answers nothing: any request would wait for it. The kernel may drop a clean page in between
    // (some hosts reclaim all the time) and read it again, so the scan has more than one chance.
    let completed = false;
    for (let attempt = 0; attempt < 5 && !completed; attempt += 1) {
      mount.kill('SIGSTOP');
      const scan = startPython('walk.py', [mount.tree]);
      completed = await Promise.race([scan.done.then(() => true), delay(30_000, false)]);
      mount.kill('SIGCONT');
      assert.deepEqual(JSON.parse((await scan.done).stdout), expected);
    }
    assert.ok(completed, 'a scan completed while the daemon was stopped');
  });

  test('sends only IOCTL in a warm scan through open()', async (t) => {
    let seconds = 0;
    const counted = async (scans: number): Promise<Record<string, number>> => {
      const began = Date.now();
      const mount = await mountStore(t, store, { ...place, ...quiet });
      for (let scan = 0; scan < scans; scan += 1) {
        const reading = await startPython('walk.py', [mount.tree, 'open']).done;
        assert.equal(reading.code, 0, reading.stderr);
      }
      seconds = Math.ceil((Date.now() - began) / 1000);
      assert.equal((await mount.stop()).code, 0);
      const line = mount.log().find((each) => each.event === 'upcalls');
      assert.ok(line, 'the daemon logs its upcalls at exit');
      return line.opcodes as Record<string, number>;
    };
    const one = await counted(1);
    const three = await counted(3);
    const more = (opcode: string): number => (three[opcode] ?? 0) - (one[opcode] ?? 0);
    const seen = JSON.stringify({ one, three });
    for (const opcode of ['getattr', 'open', 'opendir', 'access', 'getxattr', 'statfs', 'flush']) {
      assert.equal(more(opcode), 0, `${opcode}: ${seen}`);
    }
    // The kernel looks versions/ up again each second, since its entries change.
    assert.ok(more('lookup') <= (testedShape === 'version' ? seconds : 0), seen);
    // The kernel may drop pages by itself, see docs/testing.md: a hundredth of two scans. For one page of a directory's
    // listing it reads all of that directory again.
    const dropped = 2 / 100;
    assert.ok(more('read') <= dropped * count, seen);
    assert.ok(more('readdirplus') <= 5 * dropped * (one.readdirplus ?? 0), seen);
    // Python 3.14 no longer calls isatty.
    assert.ok([0, 2 * count].includes(more('ioctl')), seen);
  });
});

describe('a tree', { skip: mountImpossible }, () => {
  test('has the names, types, sizes and modes that an operator expects', async (t) => {
    const store = await openStore(
      t,
      new Map([
        ['etl.py', 'print(1)\n'],
        ['pkg/__init__.py', ''],
        ['pkg/sub/deep.sql', 'select 1'],
        ['with space/ünï ☃.py', 'x'],
      ]),
    );
    const mount = await mountStore(t, store);
    assert.equal(
      await shell(mount.tree, 'find . -mindepth 1 -printf "%y %m %n %s %P\\n" | sort -k5'),
      [
        'f 444 1 9 etl.py',
        'd 555 3 0 pkg',
        'f 444 1 0 pkg/__init__.py',
        'd 555 2 0 pkg/sub',
        'f 444 1 8 pkg/sub/deep.sql',
        'd 555 2 0 with space',
        'f 444 1 1 with space/ünï ☃.py',
        '',
      ].join('\n'),
    );
    assert.equal(await shell(mount.tree, 'stat -c %b pkg/sub/deep.sql etl.py pkg'), '1\n1\n0\n');
  });

  test('serves a file of many chunks from any offset', async (t) => {
    const large = Buffer.alloc(20 * 2 ** 20);
    for (let index = 0; index < large.length; index += 4) large.writeUInt32LE(index, index);
    const store = await openStore(t, new Map([['large.bin', large]]));
    const mount = await mountStore(t, store, { args: ['--prefetch', '0'] });
    const source = [
      'import os, struct, sys',
      'fd = os.open(sys.argv[1] + "/large.bin", os.O_RDONLY)',
      'size = os.fstat(fd).st_size',
      'tail = os.pread(fd, 22, size - 22)',
      'spots = [struct.unpack("<I", os.pread(fd, 4, at))[0] == at for at in (0, 8388604, 8388608, 16777216, size - 4)]',
      'os.lseek(fd, 0, 0)',
      'count, good = 0, True',
      'while chunk := os.read(fd, 1 << 20):',
      '    good = good and struct.unpack_from("<I", chunk)[0] == count',
      '    count += len(chunk)',
      'print(size, len(tail), all(spots), count, good, os.pread(fd, 10, size), os.pread(fd, 10, size + 9999))',
    ].join('\n');
    assert.equal(
      await python(source, [mount.tree]),
      `${large.length} 22 True ${large.length} True b'' b''\n`,
    );
  });

  test('is the folder of its prefix, and not what else begins with its name', async (t) => {
    const store = await openStore(
      t,
      new Map([
        ['dags/a.py', 'a'],
        ['dags2/b.py', 'b'],
        ['c.py', 'c'],
      ]),
      '',
    );
    const mount = await mountStore(t, store);
    assert.equal(await shell(mount.tree, 'find . -type f'), './a.py\n');
  });

  test('is the whole bucket where no prefix is given', async (t) => {
    const store = await openStore(
      t,
      new Map([
        ['dags/a.py', 'a'],
        ['c.py', 'c'],
      ]),
      '',
    );
    const mount = await mountStore(t, store, { source: `s3://${store.bucket}` });
    assert.equal(await shell(mount.tree, 'find . -type f | sort'), './c.py\n./dags/a.py\n');
  });

  test('shows what is included and not excluded', async (t) => {
    const store = await openStore(
      t,
      new Map([
        ['a.py', ''],
        ['b.sql', ''],
        ['tests/t.py', ''],
        ['notes.md', ''],
      ]),
    );
    const mount = await mountStore(t, store, {
      args: ['--include', '*.py', '--include', '*.sql', '--exclude', 'tests/'],
    });
    assert.equal(await shell(mount.tree, 'find . -mindepth 1 | sort'), './a.py\n./b.sql\n');
  });
});
