import assert from 'node:assert/strict';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { EntryItem } from '../../src/control/shapes/entries.ts';
import { environment } from '../config/host-environment.ts';
import { ID, OTHER_ID, statusOf } from '../control/fixture.ts';
import { cli } from '../support/mount.ts';
import { type Cleanup, temporaryDirectory } from '../support/temporary.ts';
import { runInTerminal, type TerminalRun } from '../support/terminal.ts';
import { fakeDaemon } from './fake-daemon.ts';
import { isMissing } from './is-missing.ts';
import { offered } from './offered.ts';
import { ran } from './recorded-shell.ts';

const TAB = '\t';
const tree = [
  'team one',
  'team one/a.py',
  'etl',
  'etl/load.py',
  'etl/extract.py',
  'run:daily.py',
  'report.py',
];

/** A daemon that shows `tree`. */
async function daemonWithTree(test: Cleanup): Promise<string> {
  const item = (path: string): EntryItem => {
    const kind = tree.some((other) => other.startsWith(`${path}/`)) ? 'directory' : 'file';
    const isFile = kind === 'file';
    return {
      path,
      kind,
      size: 0,
      etag: isFile ? 'e' : null,
      mtime: '2026-01-01T00:00:00.000Z',
      executable: isFile ? false : null,
      cached: isFile ? true : null,
    };
  };
  const { socket } = await fakeDaemon(test, {
    'GET /v1/status': () => statusOf(),
    'GET /v1/entries': ({ url }) => {
      const prefix = new URL(url, 'http://d').searchParams.get('prefix') ?? '';
      return { items: tree.filter((path) => path.startsWith(prefix)).map(item), next: null };
    },
    'GET /v1/generations': () => ({
      items: [
        { id: ID, number: 12 },
        { id: OTHER_ID, number: 11 },
      ].map((each) => ({ ...each, publishedAt: '', files: 1, added: 0, changed: 0, removed: 0 })),
      next: null,
    }),
  });
  return socket;
}

/** How to set up completion in each shell, without the user's own settings. */
const shells = {
  bash: {
    args: ['--noprofile', '--norc', '-i'],
    setUp: (script: string) => `PS1='> '; bind 'set enable-bracketed-paste off'; source ${script}`,
  },
  zsh: {
    args: ['-f', '-i'],
    setUp: (script: string) =>
      `PS1='> '; autoload -Uz compinit; compinit -D -u; source ${script}; unsetopt zle_bracketed_paste; zstyle ':completion:*' list-prompt ''`,
  },
  fish: {
    args: ['--no-config', '-i'],
    setUp: (script: string) => `function fish_prompt; echo -n '> '; end; source ${script}`,
  },
} as const;

/** An interactive shell that finds dagmount and has its completion loaded. */
async function interactive(test: Cleanup, shell: keyof typeof shells): Promise<TerminalRun> {
  const directory = await temporaryDirectory(test);
  const bin = join(directory, 'bin');
  await mkdir(bin);
  await writeFile(join(bin, 'dagmount'), `#!/bin/sh\nexec '${process.execPath}' '${cli}' "$@"\n`);
  await chmod(join(bin, 'dagmount'), 0o755);
  const script = join(directory, `completion.${shell}`);
  await writeFile(script, (await ran(['completion', shell])).out);
  const { args, setUp } = shells[shell];
  const terminal = runInTerminal(test, [shell, ...args], {
    columns: 160,
    env: {
      ...process.env,
      HOME: directory,
      TMPDIR: directory,
      XDG_RUNTIME_DIR: directory,
      PATH: `${bin}:${process.env.PATH}`,
    },
  });
  await terminal.shows(/\S/);
  terminal.type(`${setUp(script)}; clear; echo ready\r`);
  await terminal.shows(/^ready\n> ?$/m);
  return terminal;
}

for (const shell of ['bash', 'zsh', 'fish'] as const) {
  describe(`${shell}, as its user sees it,`, { skip: isMissing(shell) }, () => {
    test('completes commands, flags and paths in the tree', async (t) => {
      const socket = await daemonWithTree(t);
      const terminal = await interactive(t, shell);
      terminal.type(`dagmount genera${TAB}`);
      await terminal.shows(/> dagmount generations$/m);
      terminal.type(`--js${TAB}`);
      await terminal.shows(/> dagmount generations --json/);
      terminal.type(`\u0015dagmount ls --socket ${socket} et${TAB}`);
      await terminal.shows(/ etl\/$/m);
      terminal.type(`l${TAB}`);
      await terminal.shows(/ etl\/load\.py/);
      terminal.type(`\u0015dagmount cache ev${TAB}--socket ${socket} te${TAB}`);
      await terminal.shows(/cache evict --socket \S+ ['"]?team\\? one\//);
      terminal.type(`\u0015dagmount why --socket ${socket} run:d${TAB}`);
      await terminal.shows(/ run\\?:daily\.py/);
      terminal.type('\u0015exit\r');
      assert.equal((await terminal.end).code, 0);
    });
  });
}

describe('what a shell asks for', () => {
  test('is the next part of paths, also of absolute ones below the mount point', async (t) => {
    const socket = await daemonWithTree(t);
    assert.deepEqual(await offered(socket, 'tree-paths', ''), [
      'team one/',
      'etl/',
      'run:daily.py',
      'report.py',
    ]);
    assert.deepEqual(
      await offered(socket, 'tree-paths', 'etl/'),
      ['etl/', 'etl/load.py', 'etl/extract.py'].slice(1),
    );
    assert.deepEqual(await offered(socket, 'tree-paths', '/opt/da'), ['/opt/dags/']);
    assert.deepEqual(await offered(socket, 'tree-paths', '/opt/dags/re'), ['/opt/dags/report.py']);
    assert.deepEqual(await offered(socket, 'tree-paths', '/etc/'), []);
  });

  test('is found behind a directory of any size, with few questions', async (t) => {
    const paths = [
      ...Array.from({ length: 3_000 }, (_, at) => `big/${String(at).padStart(6, '0')}.py`),
      'big.py',
      'small.py',
    ].sort();
    const { socket, asked } = await fakeDaemon(t, {
      'GET /v1/entries': ({ url }) => {
        const query = new URL(url, 'http://d').searchParams;
        const after = query.get('after') ?? '';
        const rest = paths.filter((path) => Buffer.compare(Buffer.from(path), Buffer.from(after)) > 0);
        const items = rest.slice(0, Number(query.get('limit')));
        const next = items.length < rest.length ? items.at(-1) : null;
        return { items: items.map((path) => ({ path, kind: 'file' })), next };
      },
    });
    assert.deepEqual(await offered(socket, 'tree-paths', ''), ['big.py', 'big/', 'small.py']);
    assert.equal(asked.length, 2);
  });

  test('is what cache does, then the paths that it does it to', async (t) => {
    const socket = await daemonWithTree(t);
    assert.deepEqual(await offered(socket, 'cache-arguments', 'un', 'cache'), ['unpin']);
    assert.deepEqual(await offered(socket, 'cache-arguments', 'rep', 'cache', 'pin'), ['report.py']);
    assert.deepEqual(await offered(socket, 'cache-arguments', '', 'cache', 'stats'), []);
  });

  test('is the generations that are kept, by number and id', async (t) => {
    const socket = await daemonWithTree(t);
    assert.deepEqual(await offered(socket, 'generations', '1'), ['12', '11']);
    assert.deepEqual(await offered(socket, 'generations', 'f'), [OTHER_ID]);
  });

  test('is the environments of the project file: of what is deployed, or of the working directory', async (t) => {
    const project = await temporaryDirectory(t);
    await writeFile(join(project, 'dagmount.yaml'), 'to: s3://b/r\nenvironments: [production, staging]\n');
    await mkdir(join(project, 'dags'));
    const offer = async (current: string, workingDirectory: string, ...words: string[]) =>
      (
        await ran(['completion', '--candidates', 'environments', '--', current, ...words], {
          environment: environment({ workingDirectory }),
        })
      ).out;
    assert.equal(await offer('p', project, 'promote', '--json', ''), 'production\n');
    assert.equal(await offer('', '/', 'deploy', join(project, 'dags'), ''), 'production\nstaging\n');
    assert.equal(await offer('', '/', 'releases', ''), '');
    await writeFile(join(project, 'dagmount.yaml'), ']');
    assert.equal(await offer('', project, 'rollback', ''), '', 'a damaged project file offers nothing');
  });

  test('is the sockets of daemons that run', async () => {
    const state = {
      pid: 7,
      source: 's3://b/p/',
      target: '/opt/a',
      ready: true,
      startedAt: '2026-01-01T00:00:00.000Z',
      socket: '/run/dagmount/a.sock',
    };
    const asking = (isRunning: boolean) =>
      ran(['completion', '--candidates', 'sockets', '--', '', 'status', '--socket', ''], {
        mountStates: () => [state],
        isRunning: () => isRunning,
      });
    assert.equal((await asking(true)).out, '/run/dagmount/a.sock\n');
    assert.equal((await asking(false)).out, '');
  });

  test('is nothing, without a word, where nobody can say', async () => {
    assert.deepEqual(await offered('/nowhere.sock', 'tree-paths', ''), []);
  });
});
