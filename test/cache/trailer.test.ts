import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import type { ContentVersion } from '../../src/base/content-version.ts';
import { blobKey } from '../../src/cache/blob-path.ts';
import {
  contentBytes,
  flawOf,
  flawUnderKey,
  labelOf,
  MOST_TRAILER_BYTES,
  readBlobLabel,
  trailerOf,
} from '../../src/cache/trailer.ts';
import { temporaryDirectory } from '../support/temporary.ts';
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

test('whatever the path and the ETag that a tree takes, the blob is good and says what it is of', async (t) => {
  const directory = await temporaryDirectory(t);
  const byte = fc.oneof(
    fc.constantFrom('\u0001', '\u001f', '"', '\\', '\u007f', '\u2028', '\ud83d\ude00'),
    fc.string(),
  );
  const text = (most: number) =>
    fc
      .tuple(fc.array(byte, { minLength: 1, maxLength: 20 }), fc.nat(most))
      .map(([parts, length]) => cut(parts.join('').repeat(length) || 'a', most));
  const longest: [string, string] = ['\u0001'.repeat(4095), '\u0001'.repeat(4096)];
  const examples = [['\u0001'.repeat(3013), 'e'], longest] as [string, string][];
  fc.assert(
    fc.property(text(4095), text(4096), (path, etag) => {
      const hostile = { ...versionOf('a', content), path, etag };
      const file = sealed(hostile, content);
      assert.equal(flawOf(file, content.length, labelOf(hostile, undefined)), undefined);
      assert.equal(flawUnderKey(file, hostile.name), undefined);
      assert.ok(file.length - content.length <= MOST_TRAILER_BYTES);
      writeFileSync(`${directory}/blob`, file);
      const label = readBlobLabel(`${directory}/blob`, content.length, file.length);
      assert.deepEqual(label, { path, etag, size: content.length, chunk: undefined });
    }),
    { examples, numRuns: 50 },
  );
});

/** The beginning of a text, in at most this many bytes of UTF-8. */
function cut(text: string, bytes: number): string {
  return Buffer.from(text.slice(0, bytes))
    .subarray(0, bytes)
    .toString()
    .replace(/\ufffd+$/, '');
}
