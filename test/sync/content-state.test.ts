import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ContentState, MARK } from '../../src/sync/content-state.ts';
import { FakeSource } from './doubles/fake-source.ts';
import { treeOf } from './doubles/trees.ts';

describe('what is known of the content', () => {
  it('is carried over for what stays, and not for what is new', async () => {
    const source = new FakeSource(() => 0);
    source.putFiles(3, 'd');
    source.put('z', 'last');
    const before = await treeOf(source);
    source.put('a', 'new');
    source.put('d/file00001.py', 'changed');
    const after = await treeOf(source, before);
    const old = new ContentState(before.generation.entries);
    const fingerprint = 0xffff_ffff_8000_0001n;
    for (let index = 0; index < before.generation.entries; index++)
      old.setLocal(index, fingerprint + BigInt(index));
    old.marks[before.generation.find('z')] = MARK.noRoom;
    const content = new ContentState(after.generation.entries);
    const added = after.generation.find('a');
    content.setLocal(added, 5n);
    content.carryOver(old, after.changes!.origin);
    const was = before.generation.find('d/file00002.py');
    assert.equal(content.fingerprints[after.generation.find('d/file00002.py')], fingerprint + BigInt(was));
    assert.equal(content.marks[after.generation.find('z')], MARK.noRoom);
    assert.equal(content.fingerprints[added], 5n);
    assert.equal(content.fingerprints[after.generation.find('d/file00001.py')], 0n);
    assert.equal(content.marks[after.generation.find('d/file00001.py')], MARK.unknown);
  });

  it('is carried over also if only another process, or the session, knows it, but not if it is only arriving', async () => {
    const source = new FakeSource(() => 0);
    source.putFiles(2, 'd');
    const before = await treeOf(source);
    source.put('a', 'new');
    const after = await treeOf(source, before);
    const old = new ContentState(before.generation.entries);
    const [known, arriving] = ['d/file00000.py', 'd/file00001.py'] as const;
    old.fingerprints[before.generation.find(known)] = 77n;
    old.setArriving(before.generation.find(arriving));
    const content = new ContentState(after.generation.entries);
    content.carryOver(old, after.changes!.origin);
    assert.equal(content.fingerprints[after.generation.find(known)], 77n);
    assert.equal(content.marks[after.generation.find(known)], MARK.unknown);
    assert.equal(content.fingerprints[after.generation.find(arriving)], 0n);
  });

  it('notes a blob of the version that is shown, and of no other', async () => {
    const source = new FakeSource(() => 0);
    source.put('d/a', 'one');
    const before = await treeOf(source);
    source.put('d/a', 'two');
    const after = await treeOf(source, before);
    const content = new ContentState(after.generation.entries);
    const index = after.generation.find('d/a');
    content.note(after.generation, before.generation.version(before.generation.find('d/a')), 1n);
    content.note(after.generation, { name: 'none', path: 'nowhere' }, 2n);
    content.note(after.generation, { name: '0'.repeat(32), path: 'd' }, 3n);
    assert.ok(content.fingerprints.every((fingerprint) => fingerprint === 0n));
    content.note(after.generation, after.generation.version(index), 4n);
    assert.equal(content.fingerprints[index], 4n);
  });

  it('is in memory that another thread sees', () => {
    assert.ok(new ContentState(3).fingerprints.buffer instanceof SharedArrayBuffer);
  });
});
