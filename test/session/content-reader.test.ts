import assert from 'node:assert/strict';
import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { blobPath } from '../../src/cache/blob-path.ts';
import { CHUNK_BYTES } from '../../src/cache/chunks.ts';
import { ARRIVING, fingerprintOf } from '../../src/cache/verification.ts';
import { BlobReader } from '../../src/session/blob-reader.ts';
import { type ContentRange, ContentReader, type Fetch } from '../../src/session/content-reader.ts';
import type { FetchResult } from '../../src/session/messages.ts';
import { MountedTrees } from '../../src/session/trees/mounted-trees.ts';
import type { ShownTree } from '../../src/session/trees/shown-tree.ts';
import type { ContentVersion, Generation } from '../../src/tree/index.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';
import { mountedTree, served, treeOf } from './trees.ts';

const small: ContentVersion = { name: '0'.repeat(32), path: 'a.py', etag: 'e', size: 10, lastModified: 0 };
const large: ContentVersion = { ...small, name: '1'.repeat(32), path: 'a.bin', size: 2 * CHUNK_BYTES + 100 };

describe('content for a reader', () => {
  let directory: string;
  /** The fingerprints beside the tree, which main writes, too. */
  let fingerprints: BigUint64Array;
  let tree: ShownTree;
  let trees: MountedTrees;
  let before: Generation;
  let file: number;
  let asked: {
    version: ContentVersion;
    chunk: number | undefined;
    reader: number | undefined;
    signal: AbortSignal;
    answer(result: FetchResult): void;
  }[];
  let reader: ContentReader;
  const never = new AbortController().signal;

  beforeEach(async () => {
    directory = await makeTemporaryDirectory();
    before = treeOf({ 'a.py': '0123456789' }).generation;
    const shown = served(before);
    fingerprints = new BigUint64Array(shown.fingerprints);
    file = before.find('a.py');
    trees = new MountedTrees([
      { ...mountedTree(before), shown: { ...shown, since: { seconds: 0, nanoseconds: 0 } } },
    ]);
    tree = trees.first;
    asked = [];
    const fetch: Fetch = (version, chunk, signal, uid) =>
      new Promise((answer) =>
        asked.push({ version, chunk, reader: uid, signal: signal as AbortSignal, answer }),
      );
    reader = new ContentReader(new BlobReader(directory), trees, fetch);
  });
  afterEach(() => removeTemporaryDirectory(directory));

  const rangeOf = (version: ContentVersion, position: number, length: number): ContentRange => ({
    nodeId: before.nodeId(file),
    version,
    position,
    length,
  });
  /** Leaves a blob on disk as the cache does; returns the fingerprint under which it was verified. */
  const onDisk = (version: ContentVersion, chunk: number | undefined, bytes: Uint8Array | string): bigint => {
    const file = blobPath(directory, version.name, chunk);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, bytes, { mode: 0o600 });
    return fingerprintOf(statSync(file, { bigint: true }));
  };
  const fetches = async (count: number): Promise<typeof asked> => {
    await waitFor(`${count} questions`, () => asked.length >= count);
    return asked;
  };
  const text = (content: Uint8Array | string): string =>
    typeof content === 'string' ? content : Buffer.from(content).toString();

  test('of two chunks comes whole where the cache never holds both', async () => {
    const [first, second] = [Buffer.alloc(CHUNK_BYTES, 'a'), Buffer.alloc(CHUNK_BYTES, 'b')];
    const read = reader.read(rangeOf(large, CHUNK_BYTES - 3, 6), undefined, never);
    for (const [chunk, bytes] of [first, second].entries()) {
      const question = (await fetches(chunk + 1))[chunk]!;
      assert.equal(question.chunk, chunk);
      if (chunk > 0) rmSync(blobPath(directory, large.name, chunk - 1));
      question.answer({ kind: 'local', fingerprint: onDisk(large, chunk, bytes) });
    }
    const found = await read;
    assert.equal(typeof found === 'string' ? found : text(found), 'aaabbb');
    assert.equal(asked.length, 2);
  });

  test('comes from the disk alone where the blob is what was verified', () => {
    fingerprints[file] = onDisk(small, undefined, '0123456789');
    const target = Buffer.alloc(4);
    assert.equal(reader.readLocal(rangeOf(small, 3, 4), target), true);
    assert.equal(target.toString(), '3456');
    assert.equal(asked.length, 0);
  });

  test('is asked for where the blob was altered, is another one, or is gone', async () => {
    const target = Buffer.alloc(4);
    const range = rangeOf(small, 0, 4);
    fingerprints[file] = onDisk(small, undefined, '0123456789');
    onDisk(small, undefined, 'tampered!!');
    assert.equal(reader.readLocal(range, target), false);
    fingerprints[file]! += 1n;
    assert.equal(reader.readLocal(range, target), false);
    rmSync(blobPath(directory, small.name, undefined));
    assert.equal(reader.readLocal(range, target), false);
  });

  test('of a replaced version is read as before, and remembered anew where main has verified it again', async () => {
    const range = rangeOf(small, 0, 10);
    fingerprints[file] = onDisk(small, undefined, '0123456789');
    const after = treeOf({ 'a.py': 'other' }, {}, before);
    tree.show(served(after.generation), after.changes!);
    assert.equal(tree.held(range.nodeId)?.nodeId, range.nodeId);
    assert.equal(reader.readLocal(range, Buffer.alloc(10)), true);
    const written = onDisk(small, undefined, '9876543210');
    assert.equal(reader.readLocal(range, Buffer.alloc(10)), false, 'the file is another one');
    const reading = reader.read(range, 7, never);
    (await fetches(1))[0]?.answer({ kind: 'local', fingerprint: written });
    assert.equal(text(await reading), '9876543210');
    assert.equal(reader.readLocal(range, Buffer.alloc(10)), true);
    assert.equal(asked.length, 1);
  });

  test('is remembered as local once main has said so', async () => {
    const reading = reader.read(rangeOf(small, 0, 10), 7, never);
    const [question] = await fetches(1);
    assert.deepEqual([question?.version, question?.chunk, question?.reader], [small, undefined, 7]);
    question?.answer({ kind: 'local', fingerprint: onDisk(small, undefined, '0123456789') });
    assert.equal(text(await reading), '0123456789');
    assert.equal(reader.readLocal(rangeOf(small, 0, 10), Buffer.alloc(10)), true);
  });

  test('that the disk could not take is kept in memory, and asked for once', async () => {
    const reading = reader.read(rangeOf(small, 2, 3), undefined, never);
    (await fetches(1))[0]?.answer({ kind: 'memory', bytes: Buffer.from('0123456789') });
    assert.equal(text(await reading), '234');
    assert.equal(text(await reader.read(rangeOf(small, 5, 5), undefined, never)), '56789');
    assert.equal(asked.length, 1);
  });

  for (const failure of ['unavailable', 'replaced'] as const) {
    test(`that is ${failure} says so, and is asked for anew`, async () => {
      const reading = reader.read(rangeOf(small, 0, 10), undefined, never);
      (await fetches(1))[0]?.answer({ kind: 'error', failure });
      assert.equal(await reading, failure);
      void reader.read(rangeOf(small, 0, 10), undefined, never);
      await fetches(2);
    });
  }

  test('of a large file comes from the chunks that the range touches, also from both at a seam', async () => {
    const reading = reader.read(rangeOf(large, CHUNK_BYTES - 2, 4), undefined, never);
    const first = Buffer.alloc(CHUNK_BYTES, 'a');
    (await fetches(1))[0]?.answer({ kind: 'local', fingerprint: onDisk(large, 0, first) });
    (await fetches(2))[1]?.answer({ kind: 'memory', bytes: Buffer.alloc(CHUNK_BYTES, 'b') });
    assert.equal(text(await reading), 'aabb');
    assert.deepEqual(
      asked.map(({ chunk }) => chunk),
      [0, 1],
    );
    const target = Buffer.alloc(4);
    assert.equal(reader.readLocal(rangeOf(large, CHUNK_BYTES - 2, 4), target), true, 'both are known now');
    assert.equal(target.toString(), 'aabb');
    assert.equal(reader.readLocal(rangeOf(large, 2 * CHUNK_BYTES, 4), target), false, 'the third is not');
  });

  test('is fetched once for all reads of one uid, and once more for another uid', async () => {
    const range = rangeOf(small, 0, 10);
    const readings = [7, 7, 7, 8].map((uid) => reader.read(range, uid, never));
    const questions = await fetches(2);
    for (const { answer } of questions) answer({ kind: 'memory', bytes: Buffer.from('0123456789') });
    assert.deepEqual((await Promise.all(readings)).map(text), new Array(4).fill('0123456789'));
    assert.deepEqual(
      questions.map((each) => each.reader),
      [7, 8],
    );
  });

  test('is given up when nobody waits for it any more, and not before', async () => {
    const one = new AbortController();
    const other = new AbortController();
    const range = rangeOf(small, 0, 10);
    const readings = [one, other].map(({ signal }) => reader.read(range, 7, signal));
    const [question] = await fetches(1);
    one.abort(new Error('interrupted'));
    await assert.rejects(readings[0]!, /interrupted/);
    assert.equal(question?.signal.aborted, false);
    other.abort(new Error('interrupted'));
    await assert.rejects(readings[1]!, /interrupted/);
    assert.equal(question?.signal.aborted, true);
  });

  test('that the prefetch has under way is waited for a little, and then asked for', async () => {
    fingerprints[file] = ARRIVING;
    const arriving = reader.read(rangeOf(small, 0, 10), undefined, never);
    fingerprints[file] = onDisk(small, undefined, '0123456789');
    assert.equal(text(await arriving), '0123456789');
    assert.equal(asked.length, 0);
    fingerprints[file] = ARRIVING;
    void reader.read(rangeOf(small, 0, 10), undefined, never);
    await fetches(1);
  });

  test('whose blob is never what main says ends as unavailable, and does not go on for ever', async () => {
    const reading = reader.read(rangeOf(small, 0, 10), undefined, never);
    let answered = 0;
    const outcome = reading.then((result) => result);
    while (answered < 9) {
      await fetches(answered + 1);
      asked[answered]?.answer({ kind: 'local', fingerprint: 12345n });
      answered += 1;
    }
    assert.equal(await outcome, 'unavailable');
    assert.equal(asked.length, 9);
  });
});
