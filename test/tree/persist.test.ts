import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { setPublishTime } from '../../src/tree/build.ts';
import type { Generation } from '../../src/tree/generation.ts';
import { generationBytes, restoreGeneration } from '../../src/tree/persist.ts';
import { TreeError } from '../../src/tree/tree-error.ts';
import { build, hostileListing, indices } from './arbitraries.ts';

/** Reads everything of every entry. It must end, whatever the bytes are. */
function readAll(generation: Generation): unknown[] {
  const { id, salt, entries, files, directories, bytes, problems, number } = generation;
  return [
    { id, salt, entries, files, directories, bytes, problems, number },
    ...indices(generation).map((i) => [
      generation.version(i),
      generation.isDirectory(i),
      generation.isArchived(i),
      generation.nodeId(i),
      generation.parent(i),
      generation.mtimeSeconds(i),
      generation.mtimeNanoseconds(i),
      generation.lastModified(i),
      generation.subdirectories(i),
      generation.childrenStart(i),
      generation.childrenEnd(i),
      generation.cookieHigh(i),
      generation.cookieLow(i),
      generation.seek(i, generation.cookieHigh(i), generation.cookieLow(i)),
      generation.lookup(generation.parent(i), generation.name(i)),
      generation.indexOfNode(generation.nodeId(i)),
    ]),
  ];
}

function sample(): Uint8Array {
  const { generation } = build([
    { key: 'dags/a.py' },
    { key: 'dags/b.py', etag: 'x-2', size: 2 ** 40 },
    { key: 'plugins/', size: 0 },
    { key: 'cold', archived: true },
  ]);
  return generationBytes(generation);
}

describe('a generation written and read again', () => {
  it('is the same in everything', () => {
    fc.assert(
      fc.property(hostileListing, fc.nat(), (objects, number) => {
        const { generation } = build(objects);
        setPublishTime(generation, undefined, { seconds: 0, nanoseconds: 0 }, number);
        const decoded = restoreGeneration(generationBytes(generation));
        assert.deepEqual(readAll(decoded), readAll(generation));
        assert.ok(decoded.buffer instanceof SharedArrayBuffer);
      }),
    );
  });

  it('may lie anywhere within a larger buffer', () => {
    const encoded = sample();
    const larger = new Uint8Array(encoded.length + 3);
    larger.set(encoded, 1);
    const decoded = restoreGeneration(larger.subarray(1, 1 + encoded.length));
    assert.deepEqual(readAll(decoded), readAll(restoreGeneration(encoded)));
  });
});

describe('bytes that are not what was written', () => {
  it('are refused at every length but their own', () => {
    const encoded = sample();
    for (let length = 0; length < encoded.length; length++) {
      assert.throws(() => restoreGeneration(encoded.subarray(0, length)), { code: 'truncated' }, `${length}`);
    }
    assert.throws(() => restoreGeneration(Buffer.concat([encoded, Buffer.alloc(1)])), { code: 'truncated' });
  });

  it('are told apart: no generation, another format', () => {
    const put = (at: number, value: number): Uint8Array => {
      const bytes = Uint8Array.from(sample());
      bytes[at] = value;
      return bytes;
    };
    assert.throws(() => restoreGeneration(Buffer.from('{"json": true}'.padEnd(200))), {
      code: 'not-a-generation',
    });
    assert.throws(() => restoreGeneration(put(0, 0x20)), { code: 'not-a-generation' });
    assert.throws(() => restoreGeneration(put(8, 0)), { code: 'unsupported-format' });
  });

  it('never make an accessor fail, loop or leave the buffer', () => {
    const encoded = sample();
    const content = fc.integer({ min: 0, max: encoded.length - 1 });
    const edits = fc.array(fc.tuple(content, fc.integer({ min: 0, max: 255 })), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(edits, (edited) => {
        const bytes = Uint8Array.from(encoded);
        for (const [at, value] of edited) bytes[at] = value;
        const generation = restoreOrRefuse(bytes);
        if (generation !== undefined) checkAnswers(readAll(generation));
      }),
      { numRuns: 3000 },
    );
    for (let at = 0; at < encoded.length; at++) {
      for (const value of [0, 1, 0x7f, 0xff]) {
        const bytes = Uint8Array.from(encoded);
        bytes[at] = value;
        const generation = restoreOrRefuse(bytes);
        if (generation !== undefined) checkAnswers(readAll(generation));
      }
    }
  });
});

/** The generation, or undefined where it was refused with a TreeError. */
function restoreOrRefuse(bytes: Uint8Array): Generation | undefined {
  try {
    return restoreGeneration(bytes);
  } catch (error) {
    assert.ok(error instanceof TreeError, String(error));
    return undefined;
  }
}

/** A value that was read beyond an array is undefined or NaN. */
function checkAnswers(answers: readonly unknown[]): void {
  for (const value of answers.flat()) {
    assert.notEqual(value, undefined);
    assert.ok(!Number.isNaN(value));
  }
}
