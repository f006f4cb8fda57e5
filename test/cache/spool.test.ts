import assert from 'node:assert/strict';
import { openSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Spool } from '../../src/cache/spool.ts';
import { temporaryDirectory } from '../support/temporary.ts';

describe('a spool', () => {
  test('gives back what was written, and has no name', async (t) => {
    const directory = await temporaryDirectory(t);
    // A process that is killed right away leaves such a file.
    writeFileSync(join(directory, 'spool'), '');
    const [one, two] = [Spool.open(directory)!, Spool.open(directory)!];
    await one.write(Buffer.from('abc'));
    await two.write(Buffer.from('xyz'));
    await one.write(Buffer.from('def'));
    assert.equal(String(await one.read({ start: 2, end: 5 })), 'cde');
    assert.equal(String(await two.read({ start: 0, end: 3 })), 'xyz');
    assert.deepEqual(readdirSync(directory), []);
    assert.equal(await one.read({ start: 4, end: 7 }), undefined);
    await Promise.all([one.close(), two.close(), two.close()]);
  });

  test('is closed once nobody reads or writes, and has nothing from then on', async (t) => {
    const spool = Spool.open(await temporaryDirectory(t))!;
    await spool.write(Buffer.from('abc'));
    const [read, , written] = [
      spool.read({ start: 0, end: 3 }),
      spool.close(),
      spool.write(Buffer.from('late')),
    ];
    assert.equal(String(await read), 'abc');
    await written;
    assert.equal(await spool.read({ start: 0, end: 1 }), undefined);
    await spool.close();
  });

  test('is none where no file can be made', async (t) => {
    const directory = await temporaryDirectory(t);
    assert.equal(Spool.open(join(directory, 'missing')), undefined);
  });

  test('of a disk that is full has nothing, and fails nobody', async () => {
    // Every write to it fails with ENOSPC.
    const spool = new Spool(openSync('/dev/full', 'r+'));
    await spool.write(Buffer.from('abc'));
    assert.equal(await spool.read({ start: 0, end: 3 }), undefined);
    await spool.close();
  });
});
