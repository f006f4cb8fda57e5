import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { planNotifications } from '../../src/session/notification-plan.ts';
import type { GenerationChanges } from '../../src/tree/index.ts';
import type { Files } from './live-session.ts';
import { replyMessage } from './messages.ts';
import { treeOf } from './trees.ts';

const CODES: Readonly<Record<number, string>> = { 2: 'inode', 3: 'entry' };

/** The notifications to the kernel between two trees, each as `entry <directory>/<name>` or `inode <path>`. */
function planned(
  before: Files,
  after: Files,
  revived: (path: string) => boolean = () => false,
): readonly string[] {
  const { generation: previous } = treeOf(before);
  const removedDirectories = new Map<string, number>();
  const made = treeOf(after, { number: 4, removedDirectories }, previous);
  const { generation: next } = made;
  const pathOf = (nodeId: number): string => {
    for (const tree of [next, previous]) {
      const index = tree.indexOfNode(nodeId);
      if (index >= 0) return `/${tree.path(index)}`;
    }
    return `node ${nodeId}`;
  };
  const changes = made.changes as GenerationChanges;
  return planNotifications(previous, next, changes, (nodeId) => revived(pathOf(nodeId))).map((message) => {
    const { error: code, body } = replyMessage(message);
    const target = pathOf(Number(body.readBigUInt64LE(0)));
    if (CODES[code] === 'inode') return `inode ${target}`;
    return `entry ${target === '/' ? '' : target}/${body.subarray(16, body.length - 1).toString()}`;
  });
}

describe('the notifications of a publication', () => {
  test('are none where nothing differs', () => {
    assert.deepEqual(planned({ 'a.py': 'a' }, { 'a.py': 'a' }), []);
  });

  test('name what was added, removed and changed, and then the directory', () => {
    const before = { 'd/changed.py': 'one', 'd/gone.py': 'g', 'd/same.py': 's' };
    const after = { 'd/changed.py': 'two', 'd/new.py': 'n', 'd/same.py': 's' };
    const plan = planned(before, after);
    assert.deepEqual(plan.slice(0, 3).sort(), ['entry /d/changed.py', 'entry /d/gone.py', 'entry /d/new.py']);
    // Invalidating a name that no directory can have waits for the lookups in flight, which would bring old attributes.
    assert.deepEqual(plan.slice(3), ['entry //', 'inode /d']);
  });

  test('of a change in the root need no barrier: nothing is looked up to find it', () => {
    assert.deepEqual(planned({ 'a.py': 'a' }, { 'a.py': 'a', 'b.py': 'b' }), ['entry /b.py', 'inode /']);
  });

  test('name nothing below a directory that is new', () => {
    const plan = planned({ 'a.py': 'a' }, { 'a.py': 'a', 'new/deep/b.py': 'b' });
    assert.deepEqual(plan, ['entry /new', 'inode /']);
  });

  test('name all that was below a directory that goes, and the directory for who stands in it', () => {
    const plan = planned({ 'a.py': 'a', 'd/deep/b.py': 'b', 'd/c.py': 'c' }, { 'a.py': 'a' });
    const entries = plan.filter((each) => each.startsWith('entry')).sort();
    assert.deepEqual(entries, ['entry /d', 'entry /d/c.py', 'entry /d/deep', 'entry /d/deep/b.py']);
    assert.deepEqual(plan.slice(4).sort(), ['inode /', 'inode /d', 'inode /d/deep']);
  });

  test('drop what the kernel has of a directory that came back under its old node', () => {
    const plan = planned({ 'a.py': 'a' }, { 'a.py': 'a', 'd/b.py': 'b' }, (path) => path === '/d');
    assert.ok(plan.indexOf('inode /d') > plan.indexOf('entry /d'));
  });

  test('tell a file from a directory of the same name', () => {
    const plan = planned({ kind: 'file' }, { 'kind/z.py': 'z' });
    assert.ok(plan.includes('entry /kind') && plan.at(-1) === 'inode /');
  });

  test('name every parent of a changed directory once, before any directory is dropped', () => {
    const before: Record<string, string> = {};
    for (let index = 0; index < 20; index++) before[`p/d${index}/f.py`] = 'f';
    const after = Object.fromEntries(Object.keys(before).map((path) => [path, 'changed']));
    const plan = planned(before, after);
    const barriers = plan.flatMap((each, at) => (each.endsWith('//') ? [at] : []));
    const lastEntry = plan.findLastIndex((each) => each.startsWith('entry'));
    assert.equal(new Set(plan).size, plan.length);
    assert.ok(plan.findIndex((each) => each.startsWith('inode')) > lastEntry);
    assert.ok(barriers.length <= 2, plan.join());
  });
});
