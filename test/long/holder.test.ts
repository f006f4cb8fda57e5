import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { mountStore, openStore } from '../e2e/fixture.ts';
import { CONTAINER_NAMESPACES } from '../support/container-namespaces.ts';
import { heldAt, holderMissing, startHolder } from '../support/holder.ts';
import { type Mount, mountImpossible } from '../support/mount.ts';
import { mountsAt } from '../support/mountinfo.ts';
import { mountCallImpossible } from '../support/privileges.ts';
import { startReader } from '../support/reader.ts';
import { repository } from '../support/repository.ts';
import { shareMounts } from '../support/shared-mounts.ts';
import { supervisorMissing } from '../support/supervised.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';
import { body, change, outlived, paths } from './endured-changes.ts';

const KILLS = Number(process.env.DAGMOUNT_TEST_KILLS ?? 20);
const READERS = 8;
const endure = join(repository, 'test/support/readers/endure.py');
const SLAVE = ['--mount', '--propagation', 'slave'];

function childrenOf(pid: number): readonly number[] {
  const list = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim();
  return list === '' ? [] : list.split(' ').map(Number);
}

/** Ends a container as the runtime does: killing the first process kills all others at once. */
function killContainer(mount: Mount): void {
  for (const first of childrenOf(mount.pid)) process.kill(first, 'SIGKILL');
}

/** A mount in a container of its own, and a holder in another container. They share a directory. */
async function heldMount(t: TestContext) {
  const store = await openStore(t, new Map(paths.map((path) => [path, body(path, 0)])));
  const shared = await temporaryDirectory(t);
  await shareMounts(t, shared);
  const target = join(shared, 'dags');
  await mkdir(target);
  const socket = join(shared, 'hold.sock');
  const holder = await startHolder(t, socket, ['unshare', '--mount', '--ipc', '--net']);
  const env = { ...heldAt(socket), XDG_RUNTIME_DIR: join(shared, 'run') };
  await mkdir(env.XDG_RUNTIME_DIR, { mode: 0o700 });
  const options = {
    target,
    cacheDirectory: join(shared, 'cache'),
    wrapper: ['unshare', ...CONTAINER_NAMESPACES],
    env,
  };
  const start = (): Promise<Mount> => mountStore(t, store, { ...options });
  return { store, target, holder, start };
}

describe('a mount that is held', {
  skip: mountImpossible || mountCallImpossible || supervisorMissing || holderMissing,
}, () => {
  test(`outlives ${KILLS} deaths of all its processes under ${READERS} readers in other mount namespaces`, async (t) => {
    const { store, target, start } = await heldMount(t);
    let mount = await start();
    const device = mountsAt(target)[0]?.minor;
    const readers = Array.from({ length: READERS }, (_, index) =>
      startReader('unshare', [...SLAVE, 'python3', endure, target, String(index)], {
        stdin: 'pipe',
        deadlineMs: 900_000,
      }),
    );
    const over = new AbortController();
    const changing = change(store, over.signal);
    for (let kills = 0; kills < KILLS; kills += 1) {
      await delay(300 + Math.random() * 1200);
      killContainer(mount);
      await mount.exit;
      mount = await start();
      assert.equal(mount.log().filter(({ event }) => event === 'taken-over').length, 1);
    }
    over.abort();
    await changing;
    await outlived(t, readers);
    assert.deepEqual(
      mountsAt(target).map(({ minor }) => minor),
      [device],
      'it is the same mount',
    );
    for (const supervisor of childrenOf(mount.pid)) process.kill(supervisor, 'SIGTERM');
    await waitFor('the mount to end', () => mountsAt(target).length === 0);
  });
});
