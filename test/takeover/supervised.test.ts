import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { describe, type TestContext, test } from 'node:test';
import type { Addon } from '../../src/session/kernel/addon.ts';
import { NOTHING_COUNTED, type Serving } from '../../src/session/messages.ts';
import { Supervised } from '../../src/takeover/supervised.ts';
import { defer, temporaryDirectory } from '../support/temporary.ts';
import { FakeSupervisor } from './fake-supervisor.ts';

const identity = { id: 'mine', source: 's3://bucket/dags', target: '/dags' };
const serving: Serving = { startedAt: 0, at: 0, answeredMs: 0, init: undefined, takenOver: undefined };
const session = { counters: async () => NOTHING_COUNTED };
const served = { ready: new Promise(() => undefined), status: () => 'fine' };

function someFd(t: TestContext): number {
  const fd = openSync('/dev/null', 'r');
  defer(t, () => closeSync(fd));
  return fd;
}

/** A server that a supervisor has started `restarts` times again; undefined: one without a supervisor. */
async function setUp(t: TestContext, restarts: number | undefined) {
  const supervisor = new FakeSupervisor();
  const memories = new Map<number, ArrayBuffer>();
  const addon: Partial<Addon> = {
    sendFd: (_socket, message, fd) => supervisor.send(message, fd),
    createMemory: (bytes) => {
      const fd = someFd(t);
      memories.set(fd, new ArrayBuffer(bytes));
      return fd;
    },
    mapMemory: (fd) => memories.get(fd) ?? assert.fail('there is no such memory'),
    lockFile: () => someFd(t),
  };
  const link = { socket: -1, reason: '', standsBy: false, isStandby: false, nice: 0, environment: {} };
  const supervised = new Supervised({
    link: restarts === undefined ? undefined : { ...link, restarts, kept: new Map() },
    addon: addon as Addon,
    runtimeDirectory: await temporaryDirectory(t),
    identity,
    takeoverDeadlineMs: 60_000,
    standby: false,
    onChange: () => undefined,
    onStuck: () => undefined,
    onReplacement: () => undefined,
  });
  const dropped = (): readonly string[] =>
    supervisor.sent.flatMap((message) => {
      const [, name] = /^FDSTOREREMOVE=1\nFDNAME=(.*)$/.exec(String(message)) ?? [];
      return name === undefined ? [] : [name];
    });
  return { supervised, supervisor, dropped };
}

describe('a server that ends by itself', () => {
  /** Mounts, and stores all that a server stores for its successor. Returns the end of the server. */
  async function mounted(t: TestContext) {
    const { supervised, supervisor, dropped } = await setUp(t, 0);
    supervised.lockFile('/cache/lock');
    supervised.opened({ kind: 'device', fd: someFd(t) });
    supervised.serving(serving, { uid: 0, gid: 0, umask: 0o222 });
    for (const name of ['control', 'metrics', 'webhook'] as const)
      supervised.listeners.listening(name, someFd(t));
    const end = supervised.reportLife(session, served);
    supervisor.sent.length = 0;
    return { supervised, end, dropped };
  }

  test('leaves a successor all that it has stored for it while the mount is there', async (t) => {
    const { end, dropped } = await mounted(t);
    end();
    assert.deepEqual(dropped(), []);
  });

  test('leaves nothing once the mount is gone', async (t) => {
    const { supervised, end, dropped } = await mounted(t);
    supervised.mount.unmounted();
    end();
    const all = ['control', 'fuse', 'journal', 'lock', 'metrics', 'mount', 'own-mount', 'webhook'];
    assert.deepEqual([...dropped()].sort(), all);
  });
});

describe('a server has a successor', () => {
  test('only once readers are answered, if it is the first one of its mount', async (t) => {
    const { supervised } = await setUp(t, 0);
    assert.deepEqual([supervised.isFirst, supervised.hasSuccessor], [true, false]);
    supervised.opened({ kind: 'device', fd: someFd(t) });
    assert.equal(supervised.hasSuccessor, false);
    supervised.serving(serving, { uid: 0, gid: 0, umask: 0o222 });
    assert.deepEqual([supervised.isFirst, supervised.hasSuccessor], [true, true]);
  });

  test('at once, if an earlier server of its mount was answering them', async (t) => {
    const { supervised } = await setUp(t, 1);
    assert.deepEqual([supervised.isFirst, supervised.hasSuccessor], [false, true]);
  });

  test('never, without a supervisor', async (t) => {
    const { supervised } = await setUp(t, undefined);
    supervised.serving(serving, { uid: 0, gid: 0, umask: 0o222 });
    assert.deepEqual([supervised.isFirst, supervised.hasSuccessor], [true, false]);
  });
});
