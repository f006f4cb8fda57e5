import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Status } from '../../src/control/shapes/status.ts';
import { statusOf } from '../control/fixture.ts';
import { cleanEnvironment, cli } from '../support/mount.ts';
import type { Cleanup } from '../support/temporary.ts';
import { runInTerminal, type TerminalRun } from '../support/terminal.ts';
import { waitFor } from '../support/wait-for.ts';
import { type Answering, type FakeDaemon, fakeDaemon } from './fake-daemon.ts';
import { ran } from './recorded-shell.ts';

interface Watching {
  readonly daemon: FakeDaemon;
  readonly terminal: TerminalRun;
}

async function watching(
  test: Cleanup,
  status: Answering,
  added: Record<string, string> = {},
  size: { readonly columns?: number; readonly rows?: number } = {},
): Promise<Watching> {
  const daemon = await fakeDaemon(test, {
    'GET /v1/status': status,
    'GET /v1/generations': () => ({ items: [], next: null }),
    'GET /metrics': () => 'dagmount_fuse_requests_total{opcode="lookup"} 12345\n',
  });
  const terminal = runInTerminal(test, [process.execPath, cli, 'top', '--socket', daemon.socket], {
    ...size,
    env: cleanEnvironment(added),
  });
  return { daemon, terminal };
}

/** Checks that `top` has restored the terminal; returns the screen, with the last message. */
async function restored({ terminal }: Watching, code: number): Promise<string> {
  assert.deepEqual(await terminal.end, { code, restored: true }, terminal.screen());
  assert.equal(terminal.isFullScreen(), false);
  assert.equal(terminal.isCursorHidden(), false);
  return terminal.screen();
}

describe('top', () => {
  const fine = () => statusOf();

  test('fills the screen, follows its size, and gives it back at q', async (t) => {
    const watched = await watching(t, fine);
    const { terminal } = watched;
    await terminal.shows(/dagmount top +s3:\/\/b\/p\/ on \/opt\/dags.*q: quit/);
    await terminal.shows(/lookup .* 12,345 /);
    assert.equal(terminal.isFullScreen(), true);
    assert.equal(terminal.isCursorHidden(), true);
    terminal.resize(60, 12);
    await terminal.shows(/on \/opt\/d….*q: quit$/m);
    terminal.type('q');
    assert.equal(await restored(watched, 0), '');
  });

  test('takes a terminal that does not say its size for one of 80 by 24', async (t) => {
    const watched = await watching(t, fine, {}, { columns: 0, rows: 0 });
    const { terminal } = watched;
    await terminal.shows(/lookup .* 12,345 /);
    terminal.type('q');
    assert.equal(await restored(watched, 0), '');
  });

  test('leaves nothing on the screen of what was there a second before', async (t) => {
    let degraded: Status['degraded'] = ['source-unreachable', 'cache-too-small', 'weak-driver'];
    const watched = await watching(t, () => statusOf({ degraded }));
    await watched.terminal.shows(
      /^state +degraded: source-unreachable, cache-too-small, weak-driver, kernel/m,
    );
    degraded = [];
    await watched.terminal.shows(/^state +ready, kernel driver, not supervised, 0 restarts$/m);
    watched.terminal.type('q');
    await restored(watched, 0);
  });

  for (const [name, end] of [
    ['Ctrl-C', (terminal: TerminalRun) => terminal.type('\u0003')],
    ['SIGINT', (terminal: TerminalRun) => terminal.signal('SIGINT')],
    ['SIGTERM', (terminal: TerminalRun) => terminal.signal('SIGTERM')],
    ['SIGHUP', (terminal: TerminalRun) => terminal.signal('SIGHUP')],
    ['SIGQUIT', (terminal: TerminalRun) => terminal.signal('SIGQUIT')],
  ] as const) {
    test(`gives the terminal back at ${name}`, async (t) => {
      const watched = await watching(t, fine);
      await watched.terminal.shows(/LAST CHANGES/);
      end(watched.terminal);
      assert.equal(await restored(watched, 0), '');
    });
  }

  test('gives the terminal back while it is stopped, and takes it again when it goes on', async (t) => {
    const watched = await watching(t, fine);
    const { terminal } = watched;
    await terminal.shows(/LAST CHANGES/);
    terminal.type('\u001a');
    await waitFor(
      'the terminal to be given back',
      () => !terminal.isFullScreen() && !terminal.isCursorHidden(),
    );
    terminal.signal('SIGCONT');
    await terminal.shows(/LAST CHANGES/);
    assert.equal(terminal.isFullScreen(), true);
    terminal.type('q');
    await restored(watched, 0);
  });

  test('gives the terminal back, and says why, where the daemon goes away', async (t) => {
    const watched = await watching(t, fine);
    await watched.terminal.shows(/LAST CHANGES/);
    await watched.daemon.stop();
    await watched.terminal.shows(/does not answer for \d+ s/);
    assert.match(await restored(watched, 69), /^dagmount: No daemon answers at .*d\.sock/);
  });

  test('goes on where the daemon comes back', async (t) => {
    const watched = await watching(t, fine);
    await watched.terminal.shows(/pid 7,/);
    await watched.daemon.stop();
    await watched.terminal.shows(/does not answer for \d+ s/);
    await fakeDaemon(
      t,
      {
        'GET /v1/status': () => statusOf({ pid: 8 }),
        'GET /v1/generations': () => ({ items: [], next: null }),
        'GET /metrics': () => '',
      },
      watched.daemon.socket,
    );
    await watched.terminal.shows(/pid 8,/);
    assert.doesNotMatch(watched.terminal.screen(), /does not answer/);
    watched.terminal.type('q');
    await restored(watched, 0);
  });

  test('gives the terminal back, and says what was wrong, at an error that nobody foresaw', async (t) => {
    let isBroken = false;
    const watched = await watching(t, () =>
      isBroken ? { version: 'of no kind that is known' } : statusOf(),
    );
    await watched.terminal.shows(/LAST CHANGES/);
    isBroken = true;
    assert.match(await restored(watched, 70), /^dagmount: Internal error: .*\nThis is a bug in dagmount/);
  });

  test('shows no colours where NO_COLOR says so', async (t) => {
    for (const [added, expected] of [
      [{}, true],
      [{ NO_COLOR: '1' }, false],
    ] as const) {
      const { terminal } = await watching(t, fine, added);
      await terminal.shows(/LAST CHANGES/);
      const colours = terminal.cells().flatMap((line) => line.flatMap(({ colour }) => colour ?? []));
      assert.equal(colours.length > 0, expected);
      terminal.type('q');
      await terminal.end;
    }
  });

  test('touches no terminal where it cannot ask even once', async (t) => {
    const watched = await watching(t, fine);
    const gone = runInTerminal(t, [process.execPath, cli, 'top', '--socket', '/nowhere.sock'], {
      env: cleanEnvironment(),
    });
    assert.deepEqual(await gone.end, { code: 69, restored: true });
    assert.match(gone.screen(), /No daemon answers/);
    watched.terminal.type('q');
    await watched.terminal.end;
  });

  test('says what to do without a terminal, and that it has no JSON', async () => {
    const { exitCode, err } = await ran(['top']);
    assert.equal(exitCode, 64);
    assert.match(err, /no terminal.*\nSee dagmount status/);
    assert.equal((await ran(['top', '--json'])).exitCode, 64);
  });
});
