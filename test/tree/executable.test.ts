import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PatternList, restoreGeneration } from '../../src/tree/index.ts';
import { generationBytes } from '../../src/tree/persist.ts';
import { build, indices } from './arbitraries.ts';
import { referenceId, referenceTree } from './reference-tree.ts';

const OBJECTS = [
  'bin/tool',
  'bin/deep/x',
  'run.sh',
  'dags/run.sh',
  'dags/a.py',
  'RUN.sh',
  'é.sh',
  'empty/',
].map((key) => ({ key }));

function executables(...patterns: readonly string[]): readonly string[] {
  const { generation } = build(OBJECTS, { executable: PatternList.compile(patterns) });
  return indices(generation)
    .filter((index) => generation.isExecutable(index))
    .map((index) => generation.path(index))
    .sort();
}

describe('--executable', () => {
  it('given no pattern makes nothing executable', () => {
    assert.equal(PatternList.compile([]), undefined);
    assert.deepEqual(executables(), []);
  });

  it('is a list of patterns as in .gitignore, compared by bytes, and marks files alone', () => {
    assert.deepEqual(executables('*.sh'), ['RUN.sh', 'dags/run.sh', 'run.sh', 'é.sh']);
    assert.deepEqual(executables('/run.sh'), ['run.sh']);
    assert.deepEqual(executables('bin/'), ['bin/deep/x', 'bin/tool']);
    assert.deepEqual(executables('*.sh', '!/dags/run.sh', '!RUN.sh'), ['run.sh', 'é.sh']);
    assert.deepEqual(executables('?.sh'), []);
    assert.deepEqual(
      executables('**'),
      OBJECTS.map(({ key }) => key)
        .filter((key) => key !== 'empty/')
        .sort(),
    );
  });

  it('refuses what is no pattern', () => {
    for (const pattern of ['', '#x', 'a\\', '/', '!']) {
      assert.throws(() => PatternList.compile([pattern]), { code: 'bad-pattern' }, pattern);
    }
  });

  it('is part of a tree’s id, and a tree without any has the id that it always had', () => {
    const id = (...patterns: readonly string[]) =>
      build(OBJECTS, { executable: PatternList.compile(patterns) }).generation.id;
    assert.equal(id(), referenceId(referenceTree(OBJECTS)));
    assert.equal(id('no such file'), id());
    assert.notEqual(id('run.sh'), id());
    assert.notEqual(id('run.sh'), id('/run.sh'));
    assert.equal(id('/bin/**', '*.sh'), id('bin/', '*.sh'));
  });

  it('that changes is a change of the files that it concerns, with new node ids, and of no other', () => {
    const first = build(OBJECTS, { executable: PatternList.compile(['run.sh']) });
    const second = build(OBJECTS, {
      executable: PatternList.compile(['bin/', '/run.sh']),
      previous: first.generation,
      nextNodeId: first.nextNodeId,
    });
    const { changes, generation } = second;
    const changed = [...(changes?.changed ?? [])].map((index) => generation.path(index));
    assert.deepEqual(changed.sort(), ['bin/deep/x', 'bin/tool', 'dags/run.sh']);
    assert.deepEqual([changes?.added.length, changes?.removed.length], [0, 0]);
    for (const { key } of OBJECTS) {
      const path = key.replace(/\/$/, '');
      const [before, now] = [first.generation, generation].map((tree) => tree.nodeId(tree.find(path)));
      assert.equal(before === now, !changed.includes(path), path);
      const [was, is] = [first.generation, generation].map((tree) => tree.versionName(tree.find(path)));
      assert.equal(was, is, 'the content in the cache is the same');
    }
  });

  it('is kept in the bytes of a tree', () => {
    const { generation } = build(OBJECTS, { executable: PatternList.compile(['bin/']) });
    const restored = restoreGeneration(generationBytes(generation));
    for (const index of indices(generation)) {
      assert.equal(restored.isExecutable(index), generation.isExecutable(index));
    }
    assert.equal(restored.isExecutable(restored.find('bin/tool')), true);
  });
});
