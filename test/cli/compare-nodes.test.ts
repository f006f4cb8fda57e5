import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { EntryItem } from '../../src/control/shapes/entries.ts';
import type { HistoryItem, Status } from '../../src/control/shapes/status.ts';
import { statusOf } from '../control/fixture.ts';
import type { Cleanup } from '../support/temporary.ts';
import { type Answering, fakeDaemon, Refusal } from './fake-daemon.ts';
import { ran } from './recorded-shell.ts';

/** What one node has shown, oldest first: the letter of a tree, and the second of its publication. */
type Shown = readonly (readonly [tree: string, second: number])[];

interface NodeOptions {
  readonly status?: Partial<Status>;
  /** The files that the node shows: path and version. */
  readonly files?: Readonly<Record<string, string>>;
  /** The node keeps no changes. */
  readonly forgets?: boolean;
}

function idOf(tree: string): string {
  return tree.repeat(32);
}

function timeAt(second: number): string {
  return new Date(Date.parse('2026-01-01T00:00:00.000Z') + second * 1000).toISOString();
}

async function node(test: Cleanup, shown: Shown, options: NodeOptions = {}): Promise<string> {
  const { status = {}, files, forgets = false } = options;
  const history = shown
    .map(
      ([tree, second], at): HistoryItem => ({
        id: idOf(tree),
        number: at + 1,
        publishedAt: timeAt(second),
        files: 3,
        added: 0,
        changed: 0,
        removed: 0,
      }),
    )
    .toReversed();
  const [current] = history;
  const { added: _, changed: __, removed: ___, ...head } = current as HistoryItem;
  const own = statusOf({ generation: { ...head, directories: 1, bytes: 3 }, ...status });
  const changes: Answering = ({ url }) => {
    const [, to = '', since = ''] = /generations\/(\w+)\/changes\?since=(\w+)/.exec(url) ?? [];
    if (forgets) throw new Refusal(410, 'generation-gone', 'It is no longer kept.');
    return {
      from: since,
      to,
      added: [`of-${to[0]}.py`],
      changed: [],
      removed: [`of-${since[0]}.py`],
      next: null,
    };
  };
  const ids = history.map(({ id }) => id);
  const { socket } = await fakeDaemon(test, {
    'GET /v1/status': () => own,
    'GET /v1/generations': () => ({ items: history, next: null }),
    ...Object.fromEntries(ids.map((id) => [`GET /v1/generations/${id}/changes`, changes])),
    ...(files && {
      'GET /v1/entries': () => ({ items: entriesOf(files), next: null }),
    }),
  });
  return socket;
}

function entriesOf(files: Readonly<Record<string, string>>): readonly EntryItem[] {
  return Object.entries(files).map(([path, etag]) =>
    path.endsWith('/')
      ? {
          path: path.slice(0, -1),
          kind: 'directory',
          size: 0,
          etag: null,
          mtime: timeAt(0),
          executable: null,
          cached: null,
        }
      : { path, kind: 'file', size: 1, etag, mtime: timeAt(0), executable: false, cached: true },
  );
}

interface Comparison {
  readonly newest: string;
  readonly lags: boolean;
  readonly since: string;
  readonly orLonger: boolean;
  readonly generationsBehind: number | null;
  readonly changes: {
    readonly added: string[];
    readonly changed: string[];
    readonly removed: string[];
  } | null;
}

async function compared(sockets: readonly string[]) {
  const args = sockets.flatMap((socket) => ['--socket', socket]);
  const { exitCode, out } = await ran(['status', '--json', ...args]);
  const documents = JSON.parse(out) as { socket: string; comparison: Comparison | null; error?: object }[];
  return { exitCode, documents, comparisons: documents.map(({ comparison }) => comparison) };
}

async function told(sockets: readonly string[]) {
  return await ran(['status', ...sockets.flatMap((socket) => ['--socket', socket])]);
}

describe('status of several nodes', () => {
  test('says that all show the same tree, and since when the last of them does', async (t) => {
    const sockets = [
      await node(t, [
        ['a', 0],
        ['b', 10],
      ]),
      await node(t, [['b', 12]]),
    ];
    const { exitCode, comparisons } = await compared(sockets);
    assert.equal(exitCode, 0);
    assert.deepEqual(
      comparisons.map((each) => [each?.lags, each?.newest, each?.since]),
      [
        [false, idOf('b'), timeAt(10)],
        [false, idOf('b'), timeAt(12)],
      ],
    );
    const { out } = await told(sockets);
    assert.match(
      out,
      new RegExp(`All 2 nodes that answered show the tree b{32}, since ${timeAt(12)}, 48 s ago`),
    );
  });

  test('says who lags, since when, by how many generations and by which paths', async (t) => {
    const lagging = await node(t, [['a', 1]]);
    const sockets = [
      lagging,
      await node(t, [
        ['a', 0],
        ['b', 10],
        ['c', 20],
      ]),
    ];
    const { comparisons } = await compared(sockets);
    assert.deepEqual(comparisons[0], {
      newest: idOf('c'),
      lags: true,
      since: timeAt(10),
      orLonger: false,
      generationsBehind: 2,
      changes: { added: ['of-c.py'], changed: [], removed: ['of-a.py'] },
    });
    assert.equal(comparisons[1]?.lags, false);
    const { out } = await told(sockets);
    assert.match(out, new RegExp(`^${lagging} +aaaaaaaaaaaa +1 .* lags, ready$`, 'm'));
    assert.match(out, /1 of 2 nodes show the newest tree, c{32}\./);
    assert.match(
      out,
      new RegExp(`${lagging} lags since ${timeAt(10)}, 50 s ago, by 2 generations, 2 paths:`),
    );
    assert.match(out, /\n {2}- of-a\.py\n {2}\+ of-c\.py\n/);
  });

  test('does not depend on clocks that agree', async (t) => {
    const ahead = await node(t, [['a', 3600]]);
    const { comparisons } = await compared([
      ahead,
      await node(t, [
        ['a', 0],
        ['b', 10],
      ]),
    ]);
    assert.deepEqual(
      comparisons.map((each) => each?.lags),
      [true, false],
    );
  });

  test('takes a tree that came back for the newest', async (t) => {
    const back = await node(t, [
      ['a', 0],
      ['b', 10],
      ['a', 20],
    ]);
    const { comparisons } = await compared([
      await node(t, [
        ['a', 1],
        ['b', 11],
      ]),
      back,
    ]);
    assert.deepEqual(
      comparisons.map((each) => [each?.lags, each?.since]),
      [
        [true, timeAt(20)],
        [false, timeAt(20)],
      ],
    );
  });

  test('compares the trees themselves where no history has both', async (t) => {
    const old = await node(t, [['a', 0]], {
      files: { 'same.py': '1', 'other.py': '1', 'gone.py': '1', 'empty/': '', 'full/': '', 'full/x.py': '1' },
      status: { source: { ...statusOf().source, lastSuccessAt: timeAt(5) } },
    });
    const current = await node(t, [['b', 30]], {
      files: { 'same.py': '1', 'other.py': '2', 'new.py': '1', 'full/': '', 'full/x.py': '1' },
      status: { source: { ...statusOf().source, lastSuccessAt: timeAt(40) } },
    });
    const { comparisons } = await compared([old, current]);
    assert.deepEqual(comparisons[0], {
      newest: idOf('b'),
      lags: true,
      since: timeAt(30),
      orLonger: true,
      generationsBehind: null,
      changes: { added: ['new.py'], changed: ['other.py'], removed: ['gone.py', 'empty/'] },
    });
    assert.match((await told([old, current])).out, /30 s ago or longer, 4 paths:/);
  });

  test('compares the trees, too, where the changes are no longer kept', async (t) => {
    const files = { 'a.py': '1' };
    const lagging = await node(t, [['a', 0]], { files });
    const forgets = await node(
      t,
      [
        ['a', 0],
        ['b', 10],
      ],
      { forgets: true, files: { 'a.py': '2' } },
    );
    const { comparisons } = await compared([lagging, forgets]);
    assert.deepEqual(comparisons[0]?.changes?.changed, ['a.py']);
    const silent = await node(t, [['a', 0]]);
    assert.equal((await compared([silent, forgets])).comparisons[0]?.changes, null);
    assert.match((await told([silent, forgets])).out, /By which paths is not known/);
  });

  test('says why a node lags', async (t) => {
    const current = await node(t, [
      ['a', 0],
      ['b', 10],
    ]);
    const source = {
      ...statusOf().source,
      failingSince: timeAt(5),
      lastError: { code: 'denied', message: 'Access denied.', detail: null, hint: null, at: timeAt(6) },
    };
    const failing = await node(t, [['a', 0]], { status: { source, degraded: ['source-denied'] } });
    const held = {
      generation: idOf('c'),
      files: 1,
      removed: 9,
      since: timeAt(6),
      reason: 'mass-deletion',
      detail: 'Too many files are gone.',
    };
    const holding = await node(t, [['a', 0]], { status: { held, degraded: ['held'] } });
    const { out } = await told([failing, holding, current]);
    assert.match(out, new RegExp(`It cannot look at the store since ${timeAt(5)}: Access denied\\.`));
    assert.match(out, new RegExp(`It holds a listing back since ${timeAt(6)}: see dagmount status`));
  });

  test('says which does not answer, and shows the others', async (t) => {
    const alive = await node(t, [['a', 0]]);
    const { exitCode, documents } = await compared(['/nowhere.sock', alive]);
    assert.equal(exitCode, 69);
    assert.deepEqual(
      documents.map(({ socket, error, comparison }) => [socket, error !== undefined, comparison?.lags]),
      [
        ['/nowhere.sock', true, undefined],
        [alive, false, false],
      ],
    );
    const text = await told(['/nowhere.sock', alive]);
    assert.match(text.out, /The only node that answered shows the tree a{32}/);
    assert.match(text.err, /No daemon answers at \/nowhere\.sock/);
  });

  test('says of a node without a tree that it has none', async (t) => {
    const early = await fakeDaemon(t, {
      'GET /v1/status': () => statusOf({ generation: null, ready: false }),
    });
    const { documents } = await compared([early.socket, await node(t, [['a', 0]])]);
    assert.equal(documents[0]?.comparison, null);
    assert.match((await told([early.socket, early.socket])).out, /No tree is shown yet/);
  });
});
