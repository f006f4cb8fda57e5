import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { Yielder } from '../../src/base/yielder.ts';
import { ReplacedInodes } from '../../src/sync/replaced-inodes.ts';
import { FakeCache } from './doubles/fake-cache.ts';
import { FakeSource } from './doubles/fake-source.ts';
import { treeOf } from './doubles/trees.ts';

describe('retire', () => {
  let source: FakeSource;
  let cache: FakeCache;
  let retired: ReplacedInodes;
  const yielder = new Yielder();

  beforeEach(() => {
    source = new FakeSource(() => 0);
    cache = new FakeCache(source);
    retired = new ReplacedInodes(cache);
  });

  it('pins replaced and removed versions until the kernel lets go of their node ids', async () => {
    source.put('a', 'one');
    source.put('b', 'two');
    source.put('c', 'three');
    const before = await treeOf(source);
    source.put('a', 'changed');
    source.delete('b');
    const after = await treeOf(source, before);
    await retired.add(before.generation, after.changes!, yielder);
    const name = (path: string): string => before.generation.versionName(before.generation.find(path));
    assert.deepEqual(cache.pinned, new Set([name('a'), name('b')]));
    retired.release([before.generation.nodeId(before.generation.find('a')), 999]);
    assert.deepEqual(cache.pinned, new Set([name('b')]));
    retired.release([before.generation.nodeId(before.generation.find('b'))]);
    assert.equal(cache.pinned.size, 0);
    assert.equal(retired.versions, 0);
  });

  it('keeps a version pinned while any of the node ids that it had is held', async () => {
    source.put('a', 'one');
    const original = source.objects.get('a')!;
    let built = await treeOf(source);
    const nodeIds: number[] = [];
    for (let round = 0; round < 2; round++) {
      for (const object of [{ ...original, etag: 'other' }, original]) {
        source.objects.set('a', object);
        const next = await treeOf(source, built);
        await retired.add(built.generation, next.changes!, yielder);
        if (object !== original) nodeIds.push(built.generation.nodeId(built.generation.find('a')));
        built = next;
      }
    }
    const name = built.generation.versionName(built.generation.find('a'));
    assert.equal(new Set(nodeIds).size, 2);
    retired.release([nodeIds[0]!]);
    assert.ok(cache.pinned.has(name));
    retired.release([nodeIds[1]!]);
    assert.ok(!cache.pinned.has(name));
  });

  it('remembers the node ids of removed directories until they are released, and gives them back', async () => {
    source.put('gone/inner/a', 'one');
    source.put('stays', 'two');
    const before = await treeOf(source);
    const { generation } = before;
    source.delete('gone/inner/a');
    const without = await treeOf(source, before);
    await retired.add(generation, without.changes!, yielder);
    const outer = generation.nodeId(generation.find('gone'));
    const inner = generation.nodeId(generation.find('gone/inner'));
    assert.deepEqual(
      retired.removedDirectories,
      new Map([
        ['gone', outer],
        ['gone/inner', inner],
      ]),
    );
    retired.release([inner]);
    assert.deepEqual([...retired.removedDirectories.keys()], ['gone']);
    source.put('gone/inner/a', 'back');
    const back = await treeOf(source, without, retired.removedDirectories);
    assert.equal(back.generation.nodeId(back.generation.find('gone')), outer);
    assert.notEqual(back.generation.nodeId(back.generation.find('gone/inner')), inner);
    await retired.revive(back.generation, back.changes!, yielder);
    assert.equal(retired.removedDirectories.size, 0);
  });

  it('takes over the removedDirectories of an earlier process', () => {
    const restored = new ReplacedInodes(cache, new Map([['gone', 7]]));
    assert.deepEqual(restored.removedDirectories, new Map([['gone', 7]]));
    restored.release([7]);
    assert.equal(restored.removedDirectories.size, 0);
  });
});
