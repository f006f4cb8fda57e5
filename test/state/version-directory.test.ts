import assert from 'node:assert/strict';
import { readdirSync, readFileSync, renameSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { VersionDirectory } from '../../src/state/version-directory.ts';
import type { Generation } from '../../src/tree/index.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { releasedTree } from '../support/released-tree.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const ONE = 'one';
const isId = (name: string): boolean => /^[a-z]+$/.test(name);

function treeOf(salt: bigint, files: ReadonlyMap<string, string> = new Map([['a.py', 'a']])): Generation {
  return releasedTree(files, salt);
}

/** 3,000 files in byte order, of which 30 have changed since the version before. */
function historyOf(versions: number): readonly Generation[] {
  const files = new Map<string, string>();
  for (let file = 0; file < 3_000; file++) {
    const directory = String(Math.floor(file / 100)).padStart(2, '0');
    files.set(`team_${directory}/dag_${String(file).padStart(4, '0')}.py`, `${file}`);
  }
  const paths = [...files.keys()];
  return Array.from({ length: versions }, (_, version) => {
    for (let change = 0; change < 30; change++)
      files.set(paths[100 * change + version]!, `${change} in ${version}`);
    return treeOf(7n, files);
  });
}

function bytesIn(directory: string): number {
  return readdirSync(directory).reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
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

test('20 versions of 3,000 files that differ by 30 take few more bytes than one', async (t) => {
  const directory = await temporaryDirectory(t);
  const versions = new VersionDirectory(directory, 'mount', new RecordingLog());
  await versions.madeAt(0);
  const history = historyOf(20);
  const ids = history.map((_, version) => 'abcdefghijklmnopqrst'[version]!);
  await versions.write(ids[0]!, history[0]!);
  const ofOne = bytesIn(join(directory, 'versions'));
  await Promise.all(history.map((tree, version) => versions.write(ids[version]!, tree)));
  const ofAll = bytesIn(join(directory, 'versions'));
  assert.ok(ofOne < history[0]!.buffer.byteLength, `${ofOne}`);
  assert.ok(ofAll < 4 * ofOne, `${ofAll} of 20, ${ofOne} of one`);
  const kept = await new VersionDirectory(directory, 'mount', new RecordingLog()).read(isId, 7n);
  assert.deepEqual(
    [...kept].sort((one, other) => (one.id < other.id ? -1 : 1)).map(({ generation }) => generation.id),
    history.map((tree) => tree.id),
  );
});

test('a base stays for as long as a version needs it, and is then removed', async (t) => {
  const directory = await temporaryDirectory(t);
  const log = new RecordingLog();
  const versions = new VersionDirectory(directory, 'mount', log);
  await versions.madeAt(0);
  const [first, second, third] = historyOf(3);
  await versions.write('a', first!);
  await versions.write('b', second!);
  await versions.remove('a');
  const later = new VersionDirectory(directory, 'mount', log);
  const [kept] = await later.read(isId, 7n);
  assert.equal(kept?.generation.id, second!.id);
  await later.write('c', third!);
  const names = readdirSync(join(directory, 'versions'));
  assert.equal(names.filter((name) => name.startsWith('base-')).length, 1, names.join());
  await later.remove('b');
  await later.remove('c');
  assert.deepEqual(readdirSync(join(directory, 'versions')), ['made-at']);
  await later.write('d', third!);
  assert.equal((await new VersionDirectory(directory, 'mount', log).read(isId, 7n)).length, 1);
  assert.deepEqual(log.lines, []);
});

test('a tree that has nothing in common with the base becomes one itself', async (t) => {
  const directory = await temporaryDirectory(t);
  const versions = new VersionDirectory(directory, 'mount', new RecordingLog());
  await versions.madeAt(0);
  const [tree] = historyOf(1);
  await versions.write('a', tree!);
  const others = new Map(Array.from({ length: 3_000 }, (_, file) => [`other_${file}.py`, `other ${file}`]));
  const other = treeOf(7n, new Map([...others].sort(([one], [two]) => (one < two ? -1 : 1))));
  await versions.write('b', other);
  const names = readdirSync(join(directory, 'versions'));
  assert.equal(names.filter((name) => name.startsWith('base-')).length, 2, names.join());
  const kept = await new VersionDirectory(directory, 'mount', new RecordingLog()).read(isId, 7n);
  assert.deepEqual(kept.map(({ generation }) => generation.id).sort(), [tree!.id, other.id].sort());
});

test('where the base is damaged or gone, its versions are had again from the source', async (t) => {
  const faults: Readonly<Record<string, (path: string) => void>> = {
    'a flipped bit': (path) => {
      const file = readFileSync(path);
      file[file.length - 9]! ^= 1;
      writeFileSync(path, file);
    },
    'a cut end': (path) => writeFileSync(path, readFileSync(path).subarray(0, 150)),
    gone: (path) => renameSync(path, `${path}.elsewhere`),
  };
  for (const [fault, damage] of Object.entries(faults)) {
    const directory = await temporaryDirectory(t);
    const below = join(directory, 'versions');
    const versions = new VersionDirectory(directory, 'mount', new RecordingLog());
    await versions.madeAt(0);
    const [first, second] = historyOf(2);
    await versions.write('a', first!);
    const base = readdirSync(below).find((name) => name.startsWith('base-'))!;
    damage(join(below, base));
    // A process that has already used the base must find the damage, too.
    await versions.write('b', second!);
    const later = new VersionDirectory(directory, 'mount', new RecordingLog());
    const kept = await later.read(isId, 7n);
    assert.deepEqual(
      kept.map(({ id, generation }) => [id, generation.id]),
      [['b', second!.id]],
      fault,
    );
  }
});

test('a link in place of a version is not followed', async (t) => {
  const directory = await temporaryDirectory(t);
  const below = join(directory, 'versions');
  const log = new RecordingLog();
  const versions = new VersionDirectory(directory, 'mount', log);
  await versions.madeAt(0);
  await versions.write(ONE, treeOf(7n));
  renameSync(join(below, ONE), join(directory, ONE));
  symlinkSync(join(directory, ONE), join(below, ONE));
  assert.deepEqual(await versions.read(isId, 7n), []);
  assert.deepEqual(readdirSync(below), ['made-at']);
  assert.equal(readFileSync(join(directory, ONE)).length > 0, true);
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
