import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { exitCodes } from '../../src/cli/exit-codes.ts';
import type { MountConfig } from '../../src/config/mount-config.ts';
import type { Status } from '../../src/control/shapes/status.ts';
import { held as heldOf, statusOf, totals } from '../control/fixture.ts';
import { type Cleanup, temporaryDirectory } from '../support/temporary.ts';
import { examined, host, probing } from './examined-host.ts';
import { type Answering, fakeDaemon } from './fake-daemon.ts';
import { offered } from './offered.ts';
import { ran } from './recorded-shell.ts';
import { TypedError } from './typed-error.ts';

/** The generation of each tree, by its directory: the letter that its id consists of. */
type Shown = Readonly<Record<string, string>>;

const AT = '2026-01-01T00:00:00.000Z';

function statusOfTree(letter: string): Status {
  const generation = { ...statusOf().generation!, id: letter.repeat(32), number: 1, publishedAt: AT };
  return statusOf({ generation });
}

/** A daemon with these trees, each of which has two files. */
async function daemonOf(t: Cleanup, shown: Shown) {
  const own = statusOf();
  const trees = Object.entries(shown).map(([path, letter]) => {
    const { ready, degraded, generation, source, release, held, waiting, problems } = statusOfTree(letter);
    return {
      ...{ path, address: `s3://b/${letter}/`, ready, degraded, generation, source },
      ...{ release, held, waiting, problems },
    };
  });
  const answers: Record<string, Answering> = {
    'GET /v1/status': () => ({
      ...own,
      mount: { ...own.mount, layout: 'trees', target: '/opt/dags' },
      generation: null,
      trees,
    }),
  };
  for (const [path, letter] of Object.entries(shown)) {
    const below = `/v1/trees/${encodeURIComponent(path)}`;
    const status = statusOfTree(letter);
    answers[`GET ${below}/status`] = () => status;
    answers[`GET ${below}/generations`] = () => ({
      items: [{ ...status.generation, added: 0, changed: 0, removed: 0 }],
      next: null,
    });
    answers[`GET ${below}/entries`] = ({ url }) => {
      const prefix = new URL(url, 'http://d').searchParams.get('prefix') ?? '';
      const all = ['d/x.py', `${letter}.py`].filter((each) => each.startsWith(prefix));
      return { items: all.map((each) => ({ path: each, kind: 'file', etag: letter })), next: null };
    };
  }
  return await fakeDaemon(t, answers);
}

describe('completion, where a mount shows several trees,', () => {
  test('offers the directories of trees, and what is in the tree that a path begins with', async (t) => {
    const { socket } = await daemonOf(t, { etl: 'e', 'team/a': 'a', 'team/b': 'b' });
    assert.deepEqual(await offered(socket, 'tree-paths', ''), ['etl/', 'team/']);
    assert.deepEqual(await offered(socket, 'tree-paths', 'team/'), ['team/a/', 'team/b/']);
    assert.deepEqual(await offered(socket, 'tree-paths', 'etl/'), ['etl/d/', 'etl/e.py']);
    assert.deepEqual(await offered(socket, 'tree-paths', 'etl/d/'), ['etl/d/x.py']);
    assert.deepEqual(await offered(socket, 'tree-paths', '/opt/dags/te'), ['/opt/dags/team/']);
    assert.deepEqual(await offered(socket, 'tree-paths', '/opt/dags/team/a/'), [
      '/opt/dags/team/a/d/',
      '/opt/dags/team/a/a.py',
    ]);
    assert.deepEqual(await offered(socket, 'tree-paths', '', '--tree', 'etl'), ['d/', 'e.py']);
    assert.deepEqual(await offered(socket, 'trees', 'te'), ['team/a', 'team/b']);
    assert.deepEqual(await offered(socket, 'generations', '', '--tree', 'etl'), ['1', 'e'.repeat(32)]);
    assert.deepEqual(await offered(socket, 'generations', ''), []);
  });
});

describe('status of several nodes, where their mounts show several trees,', () => {
  test('compares each tree by itself, among the nodes that show it', async (t) => {
    const one = await daemonOf(t, { etl: 'e', ml: 'm' });
    const other = await daemonOf(t, { etl: 'e', ml: 'n', extra: 'x' });
    const args = ['--socket', one.socket, '--socket', other.socket];
    const { exitCode, out } = await ran(['status', ...args]);
    assert.equal(exitCode, 0);
    assert.match(out, /^Tree etl\n(?:.*\n)+?All 2 nodes that answered show the tree e{32}/m);
    assert.match(out, /^Tree ml\n(?:.*\n)+?1 of 2 nodes show the newest tree/m);
    assert.match(out, /^Tree extra\n(?:.*\n)+?The only node that answered shows the tree x{32}/m);
    const json = await ran(['status', '--json', ...args]);
    const documents = JSON.parse(json.out) as {
      readonly comparisons: Readonly<Record<string, { readonly lags: boolean } | null>>;
    }[];
    assert.deepEqual(
      documents.map(({ comparisons }) => Object.keys(comparisons)),
      [
        ['etl', 'ml'],
        ['etl', 'extra', 'ml'],
      ],
    );
    assert.deepEqual(
      documents.map(({ comparisons }) => comparisons.etl?.lags),
      [false, false],
    );
    assert.equal(documents.filter(({ comparisons }) => comparisons.ml?.lags === true).length, 1);
  });
});

describe('--tree', () => {
  test('is refused where the mount shows a single tree', async (t) => {
    const { socket } = await fakeDaemon(t, { 'GET /v1/status': () => statusOf() });
    const { exitCode, err } = await ran(['problems', '--socket', socket, '--tree', 'etl']);
    assert.equal(exitCode, exitCodes.usage);
    assert.match(err, /--tree names etl, and the mount shows a single tree/);
  });
});

describe('refresh, where the mount shows several trees and none is named,', () => {
  const generation = { ...statusOf().generation!, number: 4 };

  test('says what became of each', async (t) => {
    const trees = [
      { path: 'etl', outcome: 'published', generation },
      { path: 'ml', outcome: 'current', generation },
    ];
    const { socket, asked } = await fakeDaemon(t, { 'POST /v1/refresh': () => ({ trees }) });
    const { exitCode, out } = await ran(['refresh', '--wait', '--socket', socket]);
    assert.equal(exitCode, 0);
    assert.match(out, /^etl +Published: generation 4 [0-9a-f]{32}\.$/m);
    assert.match(out, /^ml +Nothing new: generation 4 [0-9a-f]{32} is current\.$/m);
    assert.deepEqual(asked[0]?.body, { wait: true, timeoutSeconds: 60 });
  });

  test('says why one failed beside what became of the others, and exits with the code of the failure', async (t) => {
    const error = { code: 'source-denied', detail: 'The store refused.', hint: 'Grant it.' };
    const trees = [
      { path: 'etl', outcome: 'published', generation },
      { path: 'ml', outcome: 'failed', generation, error },
    ];
    const { socket } = await fakeDaemon(t, {
      'POST /v1/refresh': (_, response) => {
        response.statusCode = 503;
        return { code: error.code, detail: 'Not refreshed: ml (source-denied).', trees };
      },
    });
    const { exitCode, out } = await ran(['refresh', '--wait', '--socket', socket]);
    assert.equal(exitCode, exitCodes.noPermission);
    assert.match(out, /^etl +Published: generation 4/m);
    assert.match(out, /^ml +Failed \(source-denied\): The store refused\. Grant it\.$/m);
    const json = await ran(['refresh', '--wait', '--json', '--socket', socket]);
    assert.equal(json.exitCode, exitCodes.noPermission);
    assert.deepEqual((JSON.parse(json.out) as { readonly trees: unknown }).trees, trees);
  });
});

/** A daemon with two trees. Those in `held` are held. */
async function heldIn(t: Cleanup, held: readonly string[]) {
  const { socket } = await daemonOf(t, { etl: 'e', ml: 'm' });
  const answer = await ran(['status', '--json', '--socket', socket]);
  const status = JSON.parse(answer.out) as Status & { readonly trees: NonNullable<Status['trees']> };
  const generation = statusOf().generation!;
  const trees = status.trees.map((tree) => ({
    ...tree,
    held: held.includes(tree.path) ? { ...heldOf, generation: tree.path[0]!.repeat(32) } : null,
  }));
  return await fakeDaemon(t, {
    'GET /v1/status': () => ({ ...status, trees }),
    'POST /v1/trees/etl/accept': () => ({ generation }),
    'POST /v1/trees/ml/accept': () => ({ generation }),
  });
}

describe('accept, where the mount shows several trees and none is named,', () => {
  test('accepts what is held of the only tree of which anything is', async (t) => {
    const { socket, asked } = await heldIn(t, ['ml']);
    const { exitCode, out } = await ran(['accept', '--socket', socket]);
    assert.equal(exitCode, 0);
    assert.match(out, /^Published: generation 2 [0-9a-f]{32} of ml with 3 files\.$/m);
    assert.equal(asked.at(-1)?.url, '/v1/trees/ml/accept');
  });

  test('accepts a generation in the tree that holds it', async (t) => {
    const { socket, asked } = await heldIn(t, ['etl', 'ml']);
    const id = 'e'.repeat(32);
    const { exitCode } = await ran(['accept', id, '--socket', socket]);
    assert.equal(exitCode, 0);
    assert.equal(asked.at(-1)?.url, '/v1/trees/etl/accept');
    const other = await ran(['accept', 'f'.repeat(32), '--socket', socket]);
    assert.equal(other.exitCode, exitCodes.temporary);
    assert.match(other.err, /something else is held of etl, ml/);
  });

  test('is refused where several are held, and names them, and where nothing is', async (t) => {
    const several = await heldIn(t, ['etl', 'ml']);
    const refused = await ran(['accept', '--socket', several.socket]);
    assert.equal(refused.exitCode, exitCodes.usage);
    assert.match(refused.err, /: etl, ml\.\nAdd --tree DIRECTORY\./);
    const none = await heldIn(t, []);
    assert.equal((await ran(['accept', '--socket', none.socket])).exitCode, exitCodes.noInput);
    assert.ok([...several.asked, ...none.asked].every(({ url }) => !url.startsWith('/v1/trees/')));
  });
});

describe('a list, where the mount shows several trees and none is named,', () => {
  test('has the items of each tree, and names it', async (t) => {
    const { socket } = await listing(t);
    const problems = await ran(['problems', '--socket', socket]);
    assert.match(problems.out, /^TREE +REASON +KEY/m);
    assert.match(problems.out, /^etl +nul +x\/etl/m);
    assert.match(problems.out, /^ml +nul +x\/ml/m);
    const generations = await ran(['generations', '--json', '--socket', socket]);
    const { items } = JSON.parse(generations.out) as { readonly items: readonly { readonly tree: string }[] };
    assert.deepEqual(
      items.map(({ tree }) => tree),
      ['ml', 'etl'],
      'the newest first',
    );
    const blobs = await ran(['cache', 'ls', '--socket', socket]);
    assert.match(blobs.out, / etl\/a\.py$/m);
    assert.match(blobs.out, / ml\/a\.py$/m);
  });

  test('of one tree names none', async (t) => {
    const { socket } = await listing(t);
    const { out } = await ran(['problems', '--tree', 'etl', '--socket', socket]);
    assert.match(out, /^REASON/m);
    assert.doesNotMatch(out, /x\/ml/);
  });

  test('is refused by diff, which cannot mean all of them', async (t) => {
    const { socket } = await listing(t);
    const { exitCode, err } = await ran(['diff', '--socket', socket]);
    assert.equal(exitCode, exitCodes.usage);
    assert.match(err, /: etl, ml\./);
  });
});

describe('cache, where the mount shows several trees and none is named,', () => {
  test('shows the totals of each, and verifies all', async (t) => {
    const { socket } = await listing(t);
    const stats = await ran(['cache', 'stats', '--socket', socket]);
    assert.match(stats.out, /^Tree etl\ndirectory +\/cache\/etl$/m);
    assert.match(stats.out, /^Tree ml\ndirectory +\/cache\/ml$/m);
    const verified = await ran(['cache', 'verify', '--socket', socket]);
    assert.match(verified.out, /^4 blobs /);
    assert.match(verified.out, /^ {2}etl\/a\.py$/m);
    assert.match(verified.out, /^ {2}ml\/a\.py$/m);
  });

  test('takes a directory above trees for all that is in them', async (t) => {
    const { socket, asked } = await listing(t);
    const { exitCode, out } = await ran(['cache', 'prefetch', '.', '--socket', socket]);
    assert.equal(exitCode, 0);
    assert.match(out, /^fetched {2}etl {2}.*\nfetched {2}ml {2}/m);
    assert.deepEqual(
      asked
        .filter(({ method }) => method === 'POST')
        .map(({ url, body }) => [url, (body as { readonly paths: unknown }).paths]),
      [
        ['/v1/trees/etl/cache/prefetch', ['']],
        ['/v1/trees/ml/cache/prefetch', ['']],
      ],
    );
  });
});

/** A daemon with two trees, each of which has an item in each of its lists. */
async function listing(t: Cleanup) {
  const known = await daemonOf(t, { etl: 'e', ml: 'm' });
  const { out } = await ran(['status', '--json', '--socket', known.socket]);
  const answers: Record<string, Answering> = { 'GET /v1/status': () => JSON.parse(out) as unknown };
  for (const [at, path] of ['etl', 'ml'].entries()) {
    const below = `/v1/trees/${path}`;
    const blob = {
      ...{ bytes: 3, rank: 'kept', pinned: false, verified: true, chunk: null },
      key: 'k',
      path: 'a.py',
    };
    answers[`GET ${below}/problems`] = () => ({
      items: [{ reason: 'nul', key: `x/${path}`, detail: 'A NUL.' }],
      next: null,
    });
    answers[`GET ${below}/generations`] = () => ({
      items: [
        {
          ...statusOf().generation,
          publishedAt: `2026-01-0${at + 1}T00:00:00.000Z`,
          added: 1,
          changed: 0,
          removed: 0,
        },
      ],
      next: null,
    });
    answers[`GET ${below}/cache`] = () => ({ ...totals, directory: `/cache/${path}` });
    answers[`GET ${below}/cache/blobs`] = () => ({ items: [blob], next: null });
    answers[`POST ${below}/cache/verify`] = () => ({ blobs: 2, bytes: 6, corrupt: 1, removed: [blob] });
    answers[`POST ${below}/cache/prefetch`] = () => ({
      items: [{ path: '', outcome: 'done', files: 1, bytes: 3, code: null, detail: null }],
    });
  }
  return await fakeDaemon(t, answers);
}

describe('doctor with a file that names trees', () => {
  test('tries the store of each, and says of which it speaks', async (t) => {
    const file = join(await temporaryDirectory(t), 'dagmount.yaml');
    await writeFile(
      file,
      'trees:\n- {path: ml, source: s3://m, endpoint-url: "http://m.example"}\n- {path: etl, source: s3://e/p}\n',
    );
    const asked: MountConfig[] = [];
    const changes = probing(
      [
        {
          name: 'list',
          outcome: 'bad',
          detail: '',
          error: new TypedError('denied', 'it was refused', 'Grant it.'),
        },
      ],
      (config) => {
        asked.push(config);
      },
    );
    const { exitCode, out } = await examined(['--config', file], host(), changes);
    assert.equal(exitCode, exitCodes.noPermission);
    assert.deepEqual(
      asked.map(({ bucket, prefix }) => [bucket, prefix]),
      [
        ['e', 'p/'],
        ['m', ''],
      ],
    );
    assert.match(out, /^The store of etl, s3:\/\/e\/p\/\n✓ endpoint +AWS's own\n✗ list/m);
    assert.match(out, /^The store of ml, s3:\/\/m\/\n✓ endpoint +http:\/\/m\.example, file \S+, line 2\n/m);
    const { out: json } = await examined(['--config', file, '--json'], host(), changes);
    const { checks } = JSON.parse(json) as { readonly checks: readonly { name: string; tree?: string }[] };
    assert.deepEqual(
      checks.filter(({ name }) => name === 'list').map(({ tree }) => tree),
      ['etl', 'ml'],
    );
  });
});
