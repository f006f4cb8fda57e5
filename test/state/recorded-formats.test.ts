import assert from 'node:assert/strict';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { OLDEST_STATE_FORMAT, STATE_FORMAT } from '../../src/state/state-header.ts';
import { repository } from '../support/repository.ts';
import { Places } from './places.ts';

/** What test/state/record-state.ts wrote, as [path, node id, kind or size, seconds of mtime]. */
const RECORDED: readonly (readonly [string, number, number, number])[] = [
  ['', 1, -1, 200],
  ['c.py', 2, 15, 1735689600],
  ['new', 7, -1, 200],
  ['new/d.py', 8, 3, 200],
  ['team', 3, -1, 200],
  ['team/a.py', 9, 13, 200],
  ['team/deep', 5, -1, 1735689600],
  ['team/deep/b.py', 6, 25, 1735689600],
];
/** By format: the executable files, of these and of the replaced ones that the kernel may still hold. */
const EXECUTABLE: Readonly<Record<number, readonly string[]>> = {
  1: [],
  2: ['c.py', 'dags/old.py', 'new/d.py'],
};

describe('a state that a version of dagmount before this one has written', () => {
  test('is read, at least of the format before this one', () => {
    assert.ok(OLDEST_STATE_FORMAT <= Math.max(1, STATE_FORMAT - 1));
  });

  for (let format = OLDEST_STATE_FORMAT; format <= STATE_FORMAT; format++) {
    test(`of format ${format} gives its tree, with the same node ids, and what the kernel may hold besides`, async (t) => {
      const places = await Places.make(t);
      await copyFile(join(repository, `test/state/recorded/format-${format}`), places.takeover);
      const found = await places.find();
      assert.ok(found !== undefined, JSON.stringify(places.log));
      const { generation, removedDirectories, replaced, nextNodeId, number, digest } = found.state;
      const entries = Array.from({ length: generation.entries }, (_, index) => [
        generation.path(index),
        generation.nodeId(index),
        generation.isDirectory(index) ? -1 : generation.size(index),
        generation.mtimeSeconds(index),
      ]);
      assert.deepEqual(entries.sort(), RECORDED);
      const executable = entries.flatMap(([path]) =>
        generation.isExecutable(generation.find(String(path))) ? [path] : [],
      );
      for (const node of replaced) if (node.executable) executable.push(node.path);
      assert.deepEqual(executable.sort(), EXECUTABLE[format]);
      assert.deepEqual([number, nextNodeId, digest], [2, 10, 'a digest']);
      assert.deepEqual(removedDirectories, new Map([['gone/äöü', 77]]));
      assert.deepEqual(
        replaced.map(({ nodeId, path, mtime }) => [nodeId, path, mtime]),
        [
          [3, 'dags/old.py', { seconds: 1, nanoseconds: 2 }],
          [4, 'gone', { seconds: 200, nanoseconds: 123_456_789 }],
        ],
      );
    });
  }
});
