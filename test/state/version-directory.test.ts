import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { VersionDirectory } from '../../src/state/version-directory.ts';
import { buildGeneration, type Generation, PathFilter } from '../../src/tree/index.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const ONE = 'one';
const isId = (name: string): boolean => /^[a-z]+$/.test(name);

function treeOf(salt: bigint): Generation {
  const key = Buffer.from('a.py');
  return buildGeneration({
    objects: {
      count: 1,
      keys: key,
      keyEnds: Uint32Array.of(key.length),
      sizes: Float64Array.of(3),
      lastModified: Float64Array.of(1_000),
      etags: Buffer.from('"e"'),
      etagEnds: Uint32Array.of(3),
      archived: new Uint8Array(1),
    },
    filter: PathFilter.compile({ include: [], exclude: [] }),
    previous: undefined,
    removedDirectories: new Map(),
    nextNodeId: 2,
    salt,
    now: 0,
  }).generation;
}

test('a version that was written is read by a later process, with its last use', async (t) => {
  const directory = await temporaryDirectory(t);
  const log = new RecordingLog();
  const versions = new VersionDirectory(directory, 'mount', log);
  const madeAt = await versions.madeAt(0);
  const tree = treeOf(7n);
  await versions.write(ONE, tree);
  await versions.used(ONE, 5_000);
  const later = new VersionDirectory(directory, 'mount', log);
  assert.equal(await later.madeAt(0), madeAt);
  const [kept, ...others] = await later.read(isId, 7n);
  assert.deepEqual([kept?.id, kept?.lastUsed, others], [ONE, 5_000, []]);
  assert.deepEqual(Buffer.from(kept?.generation.buffer ?? new ArrayBuffer()), Buffer.from(tree.buffer));
  await later.remove(ONE);
  assert.deepEqual(await later.read(isId, 7n), []);
  assert.deepEqual(log.lines, []);
});

test('what is damaged, renamed, of another mount or of another salt is no version, and is removed', async (t) => {
  const faults: Readonly<Record<string, (path: string, file: Buffer) => void>> = {
    'a flipped bit': (path, file) => {
      file[file.length - 1]! ^= 1;
      writeFileSync(path, file);
    },
    'a cut end': (path, file) => writeFileSync(path, file.subarray(0, 60)),
    nothing: (path) => writeFileSync(path, ''),
  };
  for (const [fault, damage] of Object.entries(faults)) {
    const directory = await temporaryDirectory(t);
    const versions = new VersionDirectory(directory, 'mount', new RecordingLog());
    await versions.madeAt(0);
    await versions.write(ONE, treeOf(7n));
    const path = join(directory, 'versions', ONE);
    const file = readFileSync(path);
    writeFileSync(join(directory, 'versions', 'renamed'), file);
    damage(path, file);
    assert.deepEqual(await versions.read(isId, 7n), [], fault);
    assert.deepEqual(readdirSync(join(directory, 'versions')), ['made-at'], fault);
  }
  const directory = await temporaryDirectory(t);
  const versions = new VersionDirectory(directory, 'mount', new RecordingLog());
  await versions.madeAt(0);
  await versions.write(ONE, treeOf(7n));
  assert.deepEqual(await new VersionDirectory(directory, 'other', new RecordingLog()).read(isId, 7n), []);
  await versions.write(ONE, treeOf(7n));
  assert.deepEqual(await versions.read(isId, 8n), []);
});

test('a disk that cannot be written to costs a line of the log, and no more', async (t) => {
  const directory = await temporaryDirectory(t);
  writeFileSync(join(directory, 'versions'), '');
  const log = new RecordingLog();
  const versions = new VersionDirectory(directory, 'mount', log);
  assert.equal(await versions.madeAt(3), 3);
  await versions.write(ONE, treeOf(7n));
  assert.deepEqual(await versions.read(isId, 7n), []);
  assert.deepEqual(
    log.lines.map(({ event }) => event),
    ['version-unkept', 'version-unkept'],
  );
});
