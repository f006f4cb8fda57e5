import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { MountState } from '../../src/host/mount-state.ts';
import { statusOf, TestServer } from '../control/fixture.ts';
import { type Cleanup, temporaryDirectory } from '../support/temporary.ts';
import { type Asked, fakeDaemon } from './fake-daemon.ts';
import { mountAt, ran } from './recorded-shell.ts';

const TARGET = '/opt/dags';

/** A daemon whose server changes at a restart request. `cutOff`: it closes the connection instead of answering. */
async function daemon(t: Cleanup, { cutOff = false, dies = true } = {}) {
  let pid = 7;
  return await fakeDaemon(t, {
    'GET /v1/status': () => statusOf({ pid }),
    'POST /v1/restart': (_: Asked, response) => {
      const was = pid;
      if (dies) pid = 8;
      if (!cutOff) return { pid: was };
      response.destroy();
      return undefined;
    },
  });
}

function stateAt(socket: string): MountState {
  return { pid: 8, source: 's3://b/p/', target: TARGET, ready: true, startedAt: '', socket };
}

describe('restart', () => {
  test('says which server has taken over from which', async (t) => {
    const { socket } = await daemon(t);
    const { exitCode, out } = await ran(['restart', '--socket', socket]);
    assert.equal(exitCode, 0);
    assert.equal(out, 'Server 8, version 0.1.0, has taken over from server 7.\n');
  });

  test('finds the server that took over where it listens now', async (t) => {
    const moved = join(await temporaryDirectory(t), 'moved.sock');
    let stop: (() => Promise<void>) | undefined;
    const old = await fakeDaemon(t, {
      'GET /v1/status': () => statusOf(),
      'POST /v1/restart': (_, response) => {
        response.on('close', () => void stop?.());
        return { pid: 7 };
      },
    });
    stop = old.stop;
    await fakeDaemon(t, { 'GET /v1/status': () => statusOf({ pid: 8 }) }, moved);
    const { exitCode, out, err } = await ran(['restart', '--socket', old.socket], {
      readMounts: () => [mountAt(TARGET)],
      mountStates: () => [stateAt(moved)],
      isRunning: () => true,
    });
    assert.equal(exitCode, 0, err);
    assert.match(out, /^Server 8,/);
  });

  test('whose answer broke off says who serves now, and does not take that for what was asked', async (t) => {
    const { socket } = await daemon(t, { cutOff: true });
    const { exitCode, out, err } = await ran(['restart', '--socket', socket]);
    assert.equal(exitCode, 75);
    assert.equal(out, '');
    assert.match(
      err,
      /^dagmount: Server 7 ended before it had answered; server 8, version 0\.1\.0, serves in its place\./,
    );
  });

  test('whose answer broke off while the server goes on says so', async (t) => {
    const { socket } = await daemon(t, { cutOff: true, dies: false });
    const { exitCode, err } = await ran(['restart', '--socket', socket]);
    assert.equal(exitCode, 75);
    assert.match(err, /^dagmount: Server 7 has not ended\./);
  });

  test('of a server that was told to end meanwhile does not say that it goes on', async (t) => {
    const { socket } = await TestServer.start(t, { restart: async () => ({ kind: 'ends' }) });
    const { exitCode, err } = await ran(['restart', '--socket', socket]);
    assert.equal(exitCode, 69);
    assert.match(err, /unmounted or told to end/);
    assert.doesNotMatch(err, /stays available/);
  });

  test('that leaves nobody who answers says that in the end', async (t) => {
    const { socket, stop } = await fakeDaemon(t, {
      'GET /v1/status': () => statusOf(),
      'POST /v1/restart': (_, response) => {
        response.on('close', () => void stop());
        return { pid: 7 };
      },
    });
    const { exitCode, err } = await ran(['restart', '--socket', socket]);
    assert.equal(exitCode, 69);
    assert.match(err, /No daemon answers/);
  });
});
