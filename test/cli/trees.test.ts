import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { exitCodes } from '../../src/cli/exit-codes.ts';
import type { MountConfig } from '../../src/config/mount-config.ts';
import type { Status } from '../../src/control/shapes/status.ts';
import { statusOf } from '../control/fixture.ts';
import { type Cleanup, temporaryDirectory } from '../support/temporary.ts';
import { examined, host, probing } from './examined-host.ts';
import { type Answering, fakeDaemon } from './fake-daemon.ts';
import { offered } from './offered.ts';
import { ran } from './recorded-shell.ts';
import { TypedError } from './typed-error.ts';

/** A generation of each tree, by its directory: the letter that its id is made of. */
type Shown = Readonly<Record<string, string>>;

const AT = '2026-01-01T00:00:00.000Z';

function statusOfTree(letter: string): Status {
  const generation = { ...statusOf().generation!, id: letter.repeat(32), number: 1, publishedAt: AT };
  return statusOf({ generation });
}

/** A daemon with these trees, each of which has one file. */
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
