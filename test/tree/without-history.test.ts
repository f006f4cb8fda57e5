import assert from 'node:assert/strict';
import { test } from 'node:test';
import { columnsOf } from '../../src/source/release/manifest-columns.ts';
import {
  buildGeneration,
  type Generation,
  generationBytes,
  PathFilter,
  setPublishTime,
  withoutHistory,
} from '../../src/tree/index.ts';
import { sha256 } from '../support/released-tree.ts';

const FIRST = 1_700_000_000_500;
const SECOND = FIRST + 60_000;
const NOW = SECOND + 60_000;

type Files = Readonly<Record<string, string>>;

function built(files: Files, created: number, previous?: Generation) {
  const rows = Object.entries(files).map(([path, content], at) => ({
    path,
    size: content.length,
    sha256: sha256(content),
    executable: path.endsWith('.sh'),
    place: content === '' ? undefined : { pack: sha256('pack'), offset: 100 * at },
  }));
  return buildGeneration({
    objects: columnsOf({ id: 'sha256-0', files: rows }, created),
    filter: PathFilter.compile({ include: [], exclude: [] }),
    previous,
    removedDirectories: new Map(),
    nextNodeId: previous === undefined ? 2 : 1_000,
    salt: 7n,
    now: NOW,
  });
}

/** The generation of these files, as published. */
function published(files: Files, created: number, previous?: Generation): Generation {
  const { generation, changes } = built(files, created, previous);
  setPublishTime(generation, changes, { seconds: NOW / 1_000, nanoseconds: 5 }, 2);
  return generation;
}

const bytesOf = (generation: Generation): Buffer => Buffer.from(generationBytes(generation));

test('a tree without its history is, byte for byte, the one that a node makes which never showed another', () => {
  const before = published({ 'a.py': 'one', 'gone/b.py': 'b', 'pkg/c.py': 'c', 'run.sh': 'r' }, FIRST);
  const files = { 'a.py': 'two', 'new/d.py': 'd', 'pkg/__init__.py': '', 'pkg/c.py': 'c', 'run.sh': 'r' };
  const shown = published(files, SECOND, before);
  const bytes = bytesOf(shown);
  const alone = withoutHistory(shown, SECOND, NOW);
  assert.deepEqual(bytesOf(alone), bytesOf(built(files, SECOND).generation));
  assert.deepEqual(bytesOf(shown), bytes, 'the tree that is shown stays as it is');
  assert.notDeepEqual(bytesOf(alone), bytes);
});
