import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blobKey, blobPath, isShard, keyOfFile, nameOfKey } from '../../src/cache/blob-path.ts';
import { blobRange, CHUNK_BYTES, chunkCount } from '../../src/cache/chunks.ts';
import { fingerprintOf } from '../../src/cache/verification.ts';

const NAME = '0123456789abcdef0123456789abcdef';

test('a blob lies in one of 256 directories, a chunk beside the others of its file', () => {
  assert.equal(blobPath('/c', NAME, undefined), '/c/blobs/01/23456789abcdef0123456789abcdef');
  assert.equal(blobPath('/c', NAME, 12), '/c/blobs/01/23456789abcdef0123456789abcdef.12');
});

test('the key of a blob is read back from its place, and only from such a one', () => {
  assert.equal(keyOfFile('01', '23456789abcdef0123456789abcdef'), NAME);
  assert.equal(keyOfFile('01', '23456789abcdef0123456789abcdef.12'), blobKey(NAME, 12));
  assert.equal(nameOfKey(blobKey(NAME, 12)), NAME);
  const others = ['', 'tmp-1-1', '23456789abcdef0123456789abcde', '23456789ABCDEF0123456789ABCDEF'];
  const chunks = ['.', '.01', '.-1', '.1.2', '.12345678901'].map((end) => NAME.slice(2) + end);
  for (const file of [...others, ...chunks]) assert.equal(keyOfFile('01', file), undefined, file);
  assert.deepEqual(['00', 'ff', 'FF', '0', '000', '..'].map(isShard), [
    true,
    true,
    false,
    false,
    false,
    false,
  ]);
});

test('a file of up to 8 MiB is one blob, a larger one is cut into aligned chunks', () => {
  assert.equal(chunkCount(CHUNK_BYTES), undefined);
  assert.equal(chunkCount(CHUNK_BYTES + 1), 2);
  assert.deepEqual(blobRange(CHUNK_BYTES, undefined), { start: 0, end: CHUNK_BYTES });
  assert.deepEqual(blobRange(CHUNK_BYTES + 1, 1), { start: CHUNK_BYTES, end: CHUNK_BYTES + 1 });
  assert.deepEqual(blobRange(3 * CHUNK_BYTES, 2), { start: 2 * CHUNK_BYTES, end: 3 * CHUNK_BYTES });
});

test('a blob that a file has not is refused', () => {
  assert.throws(() => blobRange(CHUNK_BYTES, 0), RangeError);
  for (const chunk of [undefined, -1, 2, 0.5])
    assert.throws(() => blobRange(CHUNK_BYTES + 1, chunk), RangeError);
});

test('the fingerprint of a file is 64 bits, never 0, and differs with inode, size and change time', () => {
  const fingerprints = new Set<bigint>();
  for (let ino = 0n; ino < 10n; ino++) {
    for (let size = 0n; size < 10n; size++) {
      for (let tick = 0n; tick < 10n; tick++) {
        const fingerprint = fingerprintOf({ ino, size, ctimeNs: 1_700_000_000_000_000_000n + tick });
        assert.ok(fingerprint > 0n && fingerprint < 1n << 64n);
        fingerprints.add(fingerprint);
      }
    }
  }
  assert.equal(fingerprints.size, 1000);
});
