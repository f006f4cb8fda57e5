import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import type { CacheTotals, PathResults } from '../../src/control/shapes/cache.ts';
import type { Entries, Entry } from '../../src/control/shapes/entries.ts';
import { startChild } from '../support/child.ts';
import { cleanEnvironment, cli, dagmount, type Mount, mountImpossible } from '../support/mount.ts';
import { shell } from '../support/reader.ts';
import { slowTwin } from '../support/slow-twin.ts';
import { type Cleanup, defer } from '../support/temporary.ts';
import { runInTerminal } from '../support/terminal.ts';
import { waitFor } from '../support/wait-for.ts';
import { mountStore, openStore, type Store } from './fixture.ts';

const quiet = ['--poll-interval', '1h'];

async function mountTeam(
  t: Cleanup,
  args: readonly string[] = quiet,
): Promise<{ store: Store; mount: Mount }> {
  const store = await openStore(
    t,
    new Map([
      ['etl.py', 'one'],
      ['notes.tmp', 'not wanted'],
      ['team/load.py', 'two!'],
    ]),
  );
  return { store, mount: await mountStore(t, store, { args: [...args, '--exclude', '*.tmp'] }) };
}

function asking(mount: Mount) {
  return async (...args: string[]) => await dagmount([...args, '--socket', mount.socket()]);
}

async function json<T>(asked: Promise<{ readonly stdout: string }>): Promise<T> {
  return JSON.parse((await asked).stdout) as T;
}

describe('an operator', { skip: mountImpossible }, () => {
  test('is told why a path is what it is, and why one is not there', async (t) => {
    const { store, mount } = await mountTeam(t);
    const ask = asking(mount);
    await store.put('dags/etl.py', 'another');
    assert.equal((await ask('refresh', '--wait')).code, 0);
    const entry = await json<Entry>(ask('why', 'etl.py', '--json'));
    assert.deepEqual(
      [entry.key, entry.kind, entry.size, entry.cached, entry.firstVisible.generation?.number],
      ['dags/etl.py', 'file', 7, true, 2],
    );
    const inode = await shell(mount.target, 'stat -c %i etl.py');
    assert.equal(entry.nodeIds.current, Number(inode));
    for (const name of [
      'etl.py',
      `${mount.target}/etl.py`,
      `s3://${store.bucket}/dags/etl.py`,
      'dags/etl.py',
    ]) {
      const { code, stdout } = await ask('why', name);
      assert.equal(code, 0, name);
      assert.match(stdout, /^key +dags\/etl\.py$/m);
      assert.match(stdout, new RegExp(`^etag +${entry.etag}$`, 'm'));
      assert.match(stdout, /^visible since +\d{4}-.*Z, .*, with generation 2 [0-9a-f]{32}$/m);
      assert.match(stdout, /^cached +yes, sha256 [0-9a-f]{64}$/m);
    }
    const excluded = await ask('why', 'notes.tmp');
    assert.equal(excluded.code, 66);
    assert.match(excluded.stdout, /^Not in the tree \(excluded\): notes\.tmp\n.*\*\.tmp/);
    const never = await ask('why', 'nothing.py', '--json');
    assert.equal(never.code, 66);
    assert.equal((JSON.parse(never.stdout) as { code: string }).code, 'never-seen');
  });

  test('lists the tree, takes content out of the cache, and has it kept there', async (t) => {
    const { mount } = await mountTeam(t);
    const ask = asking(mount);
    const cached = async () => {
      const { items } = await json<Entries>(ask('ls', '--json'));
      return items.map((item) => [item.path, item.cached]);
    };
    const whole = [
      ['etl.py', true],
      ['team', null],
      ['team/load.py', true],
    ];
    assert.deepEqual(await cached(), whole);
    assert.match((await ask('ls', 'team')).stdout, /^ *4 B +\d{4}-\S+Z +yes +team\/load\.py$/m);
    assert.equal((await ask('ls', 'tea')).code, 66);
    const evicted = await ask('cache', 'evict', 'team', 'nowhere');
    assert.equal(evicted.code, 66);
    assert.match(evicted.stdout, /^evicted {2}team {2}1 file, 4 B\nfailed \(not-found\) {2}nowhere: /);
    assert.deepEqual(await cached(), [...whole.slice(0, 2), ['team/load.py', false]]);
    const results = await json<PathResults>(ask('cache', 'prefetch', 'team', '--json'));
    assert.deepEqual(
      results.items.map(({ path, outcome, files }) => [path, outcome, files]),
      [['team', 'done', 1]],
    );
    assert.deepEqual(await cached(), whole);
    assert.equal((await ask('cache', 'pin', 'team')).code, 0);
    assert.equal((await json<Entry>(ask('why', 'team/load.py', '--json'))).pinned, true);
    assert.equal((await json<CacheTotals>(ask('cache', 'stats', '--json'))).pinnedPaths, 1);
    assert.equal((await ask('cache', 'unpin', 'team')).code, 0);
    assert.match((await ask('cache', 'verify')).stdout, /all of them as they were stored/);
    assert.match((await ask('cache', 'ls')).stdout, /team\/load\.py/);
  });

  test('sees what happens as it happens, also what the daemon logs of it', async (t) => {
    const { store, mount } = await mountTeam(t);
    const ask = asking(mount);
    assert.match((await ask('log-level', 'debug')).stdout, /^The log level is debug; it was info\.$/m);
    const events = startChild(process.execPath, [cli, 'events', '--json', '--socket', mount.socket()], {
      env: cleanEnvironment(),
    });
    defer(t, () => events.kill('SIGKILL'));
    const listened = await waitFor('an event', async () => {
      // `events` does not report publications from before it listens.
      await store.put('dags/etl.py', `${events.pid} ${Date.now()}`);
      await ask('refresh', '--wait');
      return events.stdout().split('\n')[0] || undefined;
    });
    assert.equal((JSON.parse(listened) as { type: string }).type, 'generation');
    events.kill('SIGTERM');
    assert.equal((await events.exit).code, 0);
    assert.ok(mount.log().some(({ level }) => level === 'debug' || level === 20));
  });

  test('sees which of two nodes lags, and by which paths, also where one cannot be asked', async (t) => {
    const { store, mount } = await mountTeam(t);
    const other = await mountStore(t, store, { args: [...quiet, '--exclude', '*.tmp'] });
    const both = ['status', '--socket', mount.socket(), '--socket', other.socket()];
    const equal = await dagmount(both);
    assert.match(equal.stdout, /^All 2 nodes that answered show the tree [0-9a-f]{32}, since /m);
    await store.put('dags/new.py', 'new');
    await store.delete('dags/team/load.py');
    assert.equal((await asking(mount)('refresh', '--wait')).code, 0);
    const { code, stdout } = await dagmount([...both, '--socket', '/nowhere.sock']);
    assert.equal(code, 69);
    assert.match(stdout, /^1 of 2 nodes show the newest tree, [0-9a-f]{32}\.$/m);
    assert.match(
      stdout,
      new RegExp(
        `^${other.socket()} lags since \\S+Z, .*, by 1 generation, 2 paths:\n {2}\\+ new\\.py\n {2}- team/load\\.py$`,
        'm',
      ),
    );
  });

  slowTwin('cli/top.test.ts: fills the screen, follows its size, and gives it back at q')(
    'watches it in a terminal',
    async (t) => {
      const { store, mount } = await mountTeam(t);
      const top = runInTerminal(t, [process.execPath, cli, 'top', '--socket', mount.socket()], {
        env: cleanEnvironment(),
      });
      await top.shows(/^generation +1 [0-9a-f]{32}, published .*: 2 files, 7 B$/m);
      await shell(mount.target, 'cat etl.py team/load.py');
      await top.shows(/^ lookup +\S+ +\S+ +[1-9]\d* +\S+ (?:µs|ms|s) /m);
      await store.put('dags/etl.py', 'changed');
      await asking(mount)('refresh', '--wait');
      await top.shows(/LAST CHANGES *\n2 .*\+0 ~1 -0\n {2}~ etl\.py/);
      await mount.stop();
      assert.deepEqual(await top.end, { code: 69, restored: true });
      assert.equal(top.isFullScreen(), false);
    },
  );

  slowTwin('cli/shells.test.ts: completes commands, flags and paths in the tree')(
    'has sockets and paths completed by bash',
    async (t) => {
      const { mount } = await mountTeam(t);
      const { stdout: script } = await dagmount(['completion', 'bash']);
      const program = `dagmount() { '${process.execPath}' '${cli}' "$@"; }
${script}
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _dagmount; printf '%s\\n' "\${COMPREPLY[@]}"`;
      const offered = (...words: string[]): readonly string[] => {
        const { stdout, stderr } = spawnSync('bash', ['-c', program, 'bash', 'dagmount', ...words], {
          encoding: 'utf8',
          env: cleanEnvironment(mount.environment),
        });
        assert.equal(stderr, '');
        return stdout.split('\n').filter((line) => line !== '');
      };
      assert.ok(offered('status', '--socket', '').includes(mount.socket()));
      assert.deepEqual(offered('why', '--socket', mount.socket(), ''), ['etl.py', 'team/']);
      assert.deepEqual(offered('cache', 'pin', '--mount', mount.target, 'team/'), ['team/load.py']);
      assert.deepEqual(offered('ls', '--socket', mount.socket(), `${mount.target}/te`), [
        `${mount.target}/team/`,
      ]);
    },
  );
});
