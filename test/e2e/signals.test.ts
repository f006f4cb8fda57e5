import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { launchMount, mountImpossible, statusOf } from '../support/mount.ts';
import { descendants, heedsHangUp } from '../support/processes.ts';
import { supervisorMissing } from '../support/supervised.ts';
import { waitFor } from '../support/wait-for.ts';
import { manyFiles, mountStore, openStore } from './fixture.ts';

describe('a signal that asks for something', { skip: mountImpossible || supervisorMissing }, () => {
  test('ends no server that is only about to heed it', async (t) => {
    const store = await openStore(t, manyFiles(20, 100));
    const mount = await launchMount(t, {
      source: `s3://${store.bucket}/dags`,
      env: store.env,
      args: ['--endpoint-url', store.endpoint, '--poll-interval', '1h', '--wait-for-store', '60s'],
    });
    const heeds = (pid: number): boolean => descendants(mount.pid).includes(pid) && heedsHangUp(pid);
    const server = await waitFor('a server', () => descendants(mount.pid).find(heeds));
    process.kill(server, 'SIGUSR2');
    const isReady = (): boolean => mount.log().some(({ event }) => event === 'ready');
    await waitFor('the mount', async () => {
      process.kill(server, 'SIGHUP');
      await delay(1);
      return isReady();
    });
    assert.equal(await mount.serverPid(), server);
    assert.equal(mount.log().filter(({ level }) => level === 'error' || Number(level) >= 50).length, 0);
    assert.deepEqual(await mount.stop(), { code: 0, signal: null });
  });

  test('is heeded by the server, too, whose process is the one that is listed', async (t) => {
    const mount = await mountStore(t, await openStore(t, manyFiles(20, 100)));
    const before = await mount.serverPid();
    process.kill(before, 'SIGUSR2');
    await mount.logged('handed-over');
    // A connection that the ending server accepts would be reset.
    await waitFor('its end', () => !existsSync(`/proc/${before}`));
    assert.notEqual((await statusOf(mount)).pid, before);
    assert.deepEqual(await mount.stop(), { code: 0, signal: null });
  });
});
