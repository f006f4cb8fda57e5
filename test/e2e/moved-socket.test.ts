import assert from 'node:assert/strict';
import { existsSync, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Status } from '../../src/control/shapes/status.ts';
import { runtimeDirectory } from '../../src/host/runtime-paths.ts';
import { dagmount, type Mount, mountImpossible } from '../support/mount.ts';
import { supervisorMissing } from '../support/supervised.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';
import { manyFiles, mountStore, openStore } from './fixture.ts';

const uid = process.geteuid?.() ?? 0;

async function statusAt(socket: string): Promise<Status> {
  const { stdout, stderr } = await dagmount(['status', '--json', '--socket', socket]);
  assert.notEqual(stdout, '', stderr);
  return JSON.parse(stdout) as Status;
}

async function listedSocket(mount: Mount): Promise<unknown> {
  const { stdout } = await dagmount(['list', '--json'], mount.environment);
  return (JSON.parse(stdout) as { target: string; socket: string }[]).find(
    ({ target }) => target === mount.target,
  )?.socket;
}

describe('a server that is replaced', { skip: mountImpossible || supervisorMissing }, () => {
  test('listens where its settings say now, and nothing is left where it was; also back again', async (t) => {
    const store = await openStore(t, manyFiles(20, 100));
    const directory = await temporaryDirectory(t);
    const file = join(directory, 'options.yaml');
    const [first, second] = [join(directory, 'first.sock'), join(directory, 'second.sock')];
    const listenAt = (path: string): Promise<void> => writeFile(file, `socket: ${path}\n`);
    await listenAt(first);
    const mount = await mountStore(t, store, { args: ['--config', file] });
    const began = await mount.serverPid();
    assert.equal(mount.socket(), first);

    await listenAt(second);
    // The command asks at the first socket, and finds the new server at the second.
    const moved = await dagmount(['restart', '--socket', first], mount.environment);
    assert.equal(moved.code, 0, moved.stderr);
    assert.match(moved.stdout, new RegExp(`has taken over from server ${began}\\.`));
    assert.deepEqual([existsSync(first), existsSync(second)], [false, true]);
    assert.equal((await statusAt(second)).mount.restarts, 1);
    assert.equal(await listedSocket(mount), second);

    await listenAt(first);
    const back = await dagmount(['restart', '--mount', mount.target], mount.environment);
    assert.equal(back.code, 0, back.stderr);
    assert.deepEqual([existsSync(first), existsSync(second)], [true, false]);
    assert.equal((await statusAt(first)).mount.restarts, 2);
    assert.equal(await listedSocket(mount), first);

    // If the path stays, the socket stays the same one: a client that asks while no server runs has to wait.
    const { ino } = statSync(first);
    process.kill(await mount.serverPid(), 'SIGKILL');
    await waitFor('the next server', async () => (await statusAt(first)).mount.restarts === 3);
    assert.equal(statSync(first).ino, ino);

    // A killed server leaves its socket file behind, and the next server does not listen there.
    await listenAt(second);
    process.kill(await mount.serverPid(), 'SIGKILL');
    await waitFor('the next socket', () => existsSync(second) && !existsSync(first));
    const { id, restarts } = (await statusAt(second)).mount;
    assert.equal(restarts, 4);

    assert.deepEqual(await mount.stop(), { code: 0, signal: null });
    assert.deepEqual([existsSync(first), existsSync(second)], [false, false]);
    assert.equal(existsSync(join(runtimeDirectory({ uid, env: mount.environment }), id)), false);
  });
});
