import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ControlViews } from '../../src/control/views.ts';
import type { MountState } from '../../src/host/mount-state.ts';
import { generation, held, ID, statusOf, TestServer, TIME } from '../control/fixture.ts';
import type { Cleanup } from '../support/temporary.ts';
import { type Answering, fakeDaemon } from './fake-daemon.ts';
import { mountAt, ran } from './recorded-shell.ts';

async function asked(test: Cleanup, views: Partial<ControlViews>, ...args: string[]) {
  const { socket } = await TestServer.start(test, views);
  return await ran([...args, '--socket', socket]);
}

function stateAt(target: string, socket: string | null): MountState {
  return { pid: 7, source: 's3://b/p/', target, ready: true, startedAt: '2026-01-01T00:00:00.000Z', socket };
}

describe('a command that asks a daemon', () => {
  test('finds the only one that runs, or the one at the mount point', async (t) => {
    const { socket } = await TestServer.start(t);
    const one = { isRunning: () => true, mountStates: () => [stateAt('/opt/a', socket)] };
    assert.equal((await ran(['status'], one)).exitCode, 0);
    const two = {
      ...one,
      mountStates: () => [stateAt('/opt/a', socket), stateAt('/opt/b', '/nowhere.sock')],
    };
    assert.equal((await ran(['status', '--mount', '/opt/a'], two)).exitCode, 0);
    assert.equal((await ran(['status', '--mount', '/opt/b'], two)).exitCode, 69);
    const unclear = await ran(['status'], two);
    assert.equal(unclear.exitCode, 64);
    assert.match(unclear.err, /\/opt\/a +.*control\.sock\n.*\/opt\/b +\/nowhere\.sock\n/s);
  });

  test('says that none runs, that none is mounted there, or that its daemon is gone', async () => {
    assert.equal((await ran(['status'])).exitCode, 69);
    assert.equal((await ran(['status', '--mount', '/opt/a'])).exitCode, 66);
    const dead = { readMounts: () => [mountAt('/opt/a')], mountStates: () => [stateAt('/opt/a', '/x')] };
    assert.equal((await ran(['status', '--mount', '/opt/a'], dead)).exitCode, 69);
    assert.equal((await ran(['status', '--socket', '/nowhere.sock'])).exitCode, 69);
    assert.equal((await ran(['status', 'more'])).exitCode, 64);
  });

  test('asks each of several sockets, and exits as the first that failed', async (t) => {
    const one = await TestServer.start(t);
    const other = await TestServer.start(t, { status: () => statusOf({ pid: 8 }) });
    const sockets = [one.socket, '/nowhere.sock', other.socket];
    const { exitCode, out, err } = await ran([
      'status',
      '--json',
      ...sockets.flatMap((each) => ['--socket', each]),
    ]);
    assert.equal(exitCode, 69);
    assert.match(err, /No daemon answers at \/nowhere\.sock/);
    const documents = JSON.parse(out) as { socket: string; pid?: number; error?: { code: string } }[];
    assert.deepEqual(
      documents.map(({ socket, pid, error }) => [socket, pid, error?.code]),
      [
        [one.socket, 7, undefined],
        ['/nowhere.sock', undefined, 'daemon-unavailable'],
        [other.socket, 8, undefined],
      ],
    );
  });

  test('prints with --json just what the socket answered', async (t) => {
    const { exitCode, out } = await asked(t, {}, 'status', '--json');
    assert.equal(exitCode, 0);
    assert.deepEqual(JSON.parse(out), statusOf());
  });

  test('joins the pages of a list', async (t) => {
    const items = Array.from({ length: 10_001 }, (_, at) => ({
      key: String(at).padStart(6, '0'),
      reason: 'nul',
      detail: '',
    }));
    const { out } = await asked(t, { problems: () => items }, 'problems', '--json');
    assert.deepEqual(JSON.parse(out), { items, next: null });
  });
});

describe('what answers as no dagmount does', () => {
  test('is said to be that, whatever it answers, and hides no other', async (t) => {
    for (const answer of [{}, { mount: null }, [], { ...statusOf(), cache: undefined }]) {
      const { socket } = await fakeDaemon(t, { 'GET /v1/status': () => answer });
      const { exitCode, err } = await ran(['status', '--socket', socket]);
      assert.equal(exitCode, 69, JSON.stringify(answer));
      assert.match(err, /does not answer as a dagmount does/);
      const good = await fakeDaemon(t, { 'GET /v1/status': () => statusOf() });
      const both = await ran(['status', '--socket', socket, '--socket', good.socket]);
      assert.equal(both.exitCode, 69);
      assert.ok(both.out.includes(good.socket) && !both.out.includes(socket), both.out);
    }
  });

  const questions = {
    status: 'GET /v1/status',
    problems: 'GET /v1/problems',
    generations: 'GET /v1/generations',
    ls: 'GET /v1/entries',
    refresh: 'POST /v1/refresh',
    accept: 'POST /v1/accept',
    'cache stats': 'GET /v1/cache',
    'cache ls': 'GET /v1/cache/blobs',
  };
  for (const [command, question] of Object.entries(questions)) {
    test(`is not taken for a bug in dagmount ${command}`, async (t) => {
      const answers: readonly Answering[] = [
        ...[null, 42, {}, { items: 1 }, { items: [null], next: null }, { outcome: 'published' }].map(
          (answer) => () => answer,
        ),
        (_asked, response) => {
          response.writeHead(500, { 'Content-Type': 'application/json' }).end('null');
        },
        (_asked, response) => {
          response.writeHead(101, { Connection: 'Upgrade', Upgrade: 'x' }).end();
        },
      ];
      for (const [at, answer] of answers.entries()) {
        const { socket } = await fakeDaemon(t, {
          'GET /v1/status': () => statusOf(),
          [question]: answer,
        });
        const { exitCode, err, out } = await ran([...command.split(' '), '--socket', socket]);
        assert.equal(exitCode, 69, `${at}: ${out}${err}`);
        assert.match(err, /does not answer as a dagmount does/);
      }
    });
  }
});

describe('status', () => {
  test('says how long a listing takes while the source is slow', async (t) => {
    const source = { ...statusOf().source, listingSeconds: 185 };
    const slow = await asked(t, { status: () => statusOf({ source, degraded: ['source-slow'] }) }, 'status');
    assert.match(slow.out, /^source +as of .*; listing takes 3 min 5 s$/m);
    const quick = await asked(t, { status: () => statusOf({ source }) }, 'status');
    assert.doesNotMatch(quick.out, /listing takes/);
  });

  test('shows what is wrong, and since when', async (t) => {
    const at = '2026-01-01T00:00:00.000Z';
    const status = statusOf({
      degraded: ['source-unreachable', 'held'],
      held,
      problems: 2,
      source: {
        ...statusOf().source,
        consecutiveFailures: 3,
        failingSince: at,
        lastError: { code: 'unreachable', message: 'No route.', detail: null, hint: null, at },
      },
    });
    const { out } = await asked(t, { status: () => status }, 'status');
    assert.match(out, /^state +ready, degraded: source-unreachable, held$/m);
    assert.match(
      out,
      /^source +as of 1 min ago; failing since 2026-01-01T00:00:00\.000Z, 1 min ago \(3 failures\): No route\.$/m,
    );
    assert.match(out, /^held +f{32} since .*9 files would be gone and 1 left/m);
    assert.match(out, /^problems +2 keys/m);
  });

  test('status says of what is held, and of a store that fails, what is wrong and what to do, as sentences', async (t) => {
    const lines: string[] = [];
    for (const more of [
      { reason: 'missing-pack', detail: 'packs/a is missing', hint: 'Deploy once more.', acceptable: false },
      { files: 0, removed: 0, reason: 'missing-ref', detail: 'There is no ref', hint: 'Deploy.' },
      { files: 0, removed: 0, reason: 'signature', detail: 'Nobody signed it.', hint: 'Sign it.' },
    ]) {
      const lastError = { code: 'denied', message: 'Denied', detail: null, hint: 'Grant it.', at: TIME };
      const status = statusOf({ held: { ...held, ...more } });
      const failing = { ...status.source, failingSince: TIME, consecutiveFailures: 1, lastError };
      const { out } = await asked(t, { status: () => ({ ...status, source: failing }) }, 'status');
      lines.push(...out.split('\n').filter((line) => line.startsWith('held')));
      assert.match(out, /^source .*: Denied\. Grant it\.$/m);
    }
    assert.match(
      lines[0]!,
      /: missing-pack, 9 files would be gone and 1 left\. packs\/a is missing\. Deploy once more\.$/,
    );
    assert.match(lines[1]!, /: missing-ref\. There is no ref\. Deploy\.$/);
    assert.match(lines[2]!, /: signature\. Nobody signed it\. Sign it\.$/);
  });
});

describe('status of a store whose ETags are different', () => {
  test('says what is checked instead', async (t) => {
    const source = { ...statusOf().source, traits: ['own-listing-etags', 'no-md5-etags'] as const };
    const { out } = await asked(
      t,
      { status: () => statusOf({ source: { ...source, traits: [...source.traits] } }) },
      'status',
    );
    assert.match(
      out,
      /^source .*ETags of their own: size and date are checked; .*no MD5s: content is checked by length$/m,
    );
  });
});

describe('refresh and accept', () => {
  test('exit by what came of it', async (t) => {
    const failed = (code: string) =>
      ({ kind: 'failed', error: { code, message: 'No.', hint: 'Repair it.' } }) as const;
    for (const [end, exitCode] of [
      [{ kind: 'current', generation }, 0],
      [{ kind: 'published', generation }, 0],
      [{ kind: 'held', held }, 75],
      [failed('unreachable'), 69],
      [failed('throttled'), 69],
      [failed('denied'), 77],
      [failed('empty-source'), 75],
    ] as const) {
      const answered = await asked(t, { refresh: async () => end }, 'refresh', '--wait');
      assert.equal(answered.exitCode, exitCode, answered.err);
    }
    const never = { refresh: () => new Promise<never>(() => undefined) };
    assert.equal((await asked(t, never, 'refresh', '--wait', '--timeout', '50ms')).exitCode, 75);
    assert.equal((await asked(t, never, 'refresh')).exitCode, 0);
    assert.equal((await asked(t, never, 'refresh', '--wait', '--timeout', 'soon')).exitCode, 78);
    assert.equal((await asked(t, {}, 'accept')).exitCode, 66);
    assert.equal(
      (await asked(t, { accept: async () => ({ kind: 'changed', held }) }, 'accept', ID)).exitCode,
      75,
    );
    const accepted = await asked(t, { accept: async () => ({ kind: 'accepted', generation }) }, 'accept');
    assert.deepEqual([accepted.exitCode, accepted.out], [0, `Published: generation 2 ${ID} with 3 files.\n`]);
  });
});
