import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { TREE_MARK_FILE, TreeMark } from '../../src/takeover/tree-mark.ts';
import { temporaryDirectory } from '../support/temporary.ts';

test('the mark of a tree says since when the mount shows it, also to the next server', async (t) => {
  const directory = await temporaryDirectory(t);
  const mark = new TreeMark(directory, () => 1_700_000_000_250);
  assert.equal(mark.since, undefined);
  assert.deepEqual(mark.set(), { seconds: 1_700_000_000, nanoseconds: 250_000_000 });
  const next = new TreeMark(directory, () => 1_800_000_000_000);
  assert.deepEqual(next.since, { seconds: 1_700_000_000, nanoseconds: 250_000_000 });
  next.clear();
  assert.equal(mark.since, undefined);
});

test('a mark that cannot be understood is one all the same', async (t) => {
  const directory = await temporaryDirectory(t);
  writeFileSync(join(directory, TREE_MARK_FILE), 'nonsense');
  assert.deepEqual(new TreeMark(directory, () => 5_000).since, { seconds: 5, nanoseconds: 0 });
});
