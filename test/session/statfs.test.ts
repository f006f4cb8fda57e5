import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { statfsOf } from '../../src/session/statfs.ts';
import type { Generation } from '../../src/tree/index.ts';
import { Asked } from './asked.ts';
import { LiveSession, unmountable } from './live-session.ts';

function treeOf(bytes: number, entries: number): Generation {
  return { bytes, entries } as Generation;
}

describe('what statfs(2) says', () => {
  test('has the bytes and entries of the tree as used', () => {
    const { blocks, bfree, files, ffree } = new Asked({ 'a.py': 'x'.repeat(5000), 'd/b.py': 'y' }).statfs();
    assert.equal(blocks - bfree, 2);
    assert.equal(files - ffree, 4);
  });

  test('never says that more than 10 % of blocks or inodes are in use, however large or small the tree is', () => {
    for (const bytes of [0, 1, 4096, 2 ** 30, 2 ** 40, 2 ** 45, 2 ** 50]) {
      for (const entries of [1, 1_000_000]) {
        const { blocks, bfree, bavail, files, ffree } = statfsOf([treeOf(bytes, entries)]);
        assert.ok(blocks > 0 && bavail === bfree && (blocks - bfree) / blocks <= 0.1, `${bytes} bytes`);
        assert.ok(files > 0 && (files - ffree) / files <= 0.1, `${entries} entries`);
      }
    }
  });

  test('leaves a terabyte free and 1,000,000 inodes, and fits 32 bits up to 1.5 TiB', () => {
    for (const bytes of [0, 2 ** 30, 1.5 * 2 ** 40]) {
      const { blocks, bfree, bsize, files, ffree } = statfsOf([treeOf(bytes, 1000)]);
      assert.ok(bfree * bsize >= 2 ** 40 && ffree >= 1_000_000);
      assert.ok(blocks < 2 ** 32 && files < 2 ** 32);
    }
  });
});

describe('df of a mount', { skip: unmountable(), timeout: 60_000 }, () => {
  let session: LiveSession;
  afterEach(() => session.close());

  test('says that little of it is in use', async () => {
    session = await LiveSession.start({ 'a.py': 'x'.repeat(10_000), 'b/c.py': '' });
    const rows = await session.sh('df --output=used,avail,pcent,iused,iavail,ipcent . | tail -n 1');
    const [used, available, percent, inodes, inodesFree, inodePercent] = rows.trim().split(/\s+/);
    assert.deepEqual([used, inodes], ['12', '4']);
    assert.ok(Number(available) > 1e9 && Number(inodesFree) > 1e6, rows);
    assert.deepEqual([percent, inodePercent], ['1%', '1%']);
  });
});
