import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { reasonAgainst } from '../../src/host/pinned.ts';

const OTHER = 65534;

describe('a file system that a path goes over to', () => {
  const mounts = [
    { mountId: 1, fsType: 'ext4', superOptions: ['rw'] },
    { mountId: 2, fsType: 'fuse.dagmount', superOptions: ['user_id=0'] },
    { mountId: 3, fsType: 'fuse.dagmount', superOptions: [`user_id=${process.getuid?.()}`] },
    { mountId: 4, fsType: 'fuse', superOptions: [`user_id=${OTHER}`, 'allow_other'] },
    { mountId: 5, fsType: 'fuseblk', superOptions: [] },
  ];

  test('is asked where it is the kernel, root or this user who answers', () => {
    for (const id of [1, 2, 3]) assert.equal(reasonAgainst(id, mounts), undefined, String(id));
  });

  test('is not asked where another user may keep it from answering', () => {
    for (const id of [4, 5]) assert.match(reasonAgainst(id, mounts) ?? '', /who may never answer/);
  });

  test('is not asked where it was detached after it was opened: whose it was is known no more', () => {
    assert.match(reasonAgainst(6, mounts) ?? '', /mounted no more/);
  });
});
