import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { blobKey } from '../../src/cache/blob-path.ts';
import type { ContentVersion } from '../../src/cache/content-version.ts';
import { contentBytes, flawOf, flawUnderKey, labelOf, trailerOf } from '../../src/cache/trailer.ts';
import { versionOf } from './fixture.ts';

function sealed(version: ContentVersion, content: Uint8Array): Buffer {
  return Buffer.concat([content, trailerOf(labelOf(version, undefined), crc32(content))]);
}

const content = randomBytes(5000);
const version = versionOf('dags/größe "a".py', content);
const label = labelOf(version, undefined);

test('a sealed blob has no flaw, under its version and under its key', () => {
  const file = sealed(version, content);
  assert.equal(flawOf(file, content.length, label), undefined);
  assert.equal(flawUnderKey(file, version.name), undefined);
  assert.equal(contentBytes(file.subarray(-16), file.length), content.length);
});

test('every flipped bit and every cut is found', () => {
  const file = sealed(version, content);
  fc.assert(
    fc.property(fc.nat(file.length - 1), fc.nat(7), (at, bit) => {
      const bad = Buffer.from(file);
      bad[at]! ^= 1 << bit;
      assert.notEqual(flawOf(bad, content.length, label), undefined);
      assert.notEqual(flawUnderKey(bad, version.name), undefined);
    }),
  );
  fc.assert(
    fc.property(fc.nat(file.length - 1), (length) => {
      assert.notEqual(flawOf(file.subarray(0, length), content.length, label), undefined);
      assert.notEqual(flawUnderKey(file.subarray(0, length), version.name), undefined);
    }),
  );
});

test('whole content under a wrong name, path, ETag, size or chunk is a flaw', () => {
  const file = sealed(version, content);
  const others = [
    { ...version, name: version.name.replace(/^./, 'x') },
    { ...version, path: 'dags/other.py' },
    { ...version, etag: 'other' },
    { ...version, size: version.size + 1 },
  ];
  for (const other of others)
    assert.notEqual(flawOf(file, content.length, labelOf(other, undefined)), undefined);
  assert.notEqual(flawOf(file, content.length, labelOf(version, 1)), undefined);
  assert.equal(flawUnderKey(file, blobKey(version.name, 1)), 'label');
  assert.equal(flawUnderKey(file, versionOf('dags/other.py', content).name), 'label');
});

test('bytes that nobody sealed never pass and never throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      assert.notEqual(flawUnderKey(Buffer.from(bytes), version.name), undefined);
    }),
  );
  for (const text of ['', 'null', '{}', '[]', '{"name":1}', '{"size":1e300,"chunk":0}', '{']) {
    const strange = Buffer.from(text);
    const file = Buffer.concat([Buffer.alloc(10), trailerOf(strange, crc32(Buffer.alloc(10)))]);
    assert.equal(flawUnderKey(file, version.name), 'label', text);
  }
});
