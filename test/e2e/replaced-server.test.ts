import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Status } from '../../src/control/shapes/status.ts';
import { dagmount, type Mount, mountImpossible } from '../support/mount.ts';
import { mountsAt } from '../support/mountinfo.ts';
import type { Outlived } from '../support/outlive/pauses.ts';
import { descendants } from '../support/processes.ts';
import { shell, startPython } from '../support/reader.ts';
import { supervisorMissing } from '../support/supervised.ts';
import { type Cleanup, temporaryDirectory } from '../support/temporary.ts';
import { versionedFile } from '../support/versioned-file.ts';
import { waitFor } from '../support/wait-for.ts';
import { manyFiles, mountStore, openStore } from './fixture.ts';

/** A mount whose servers read a file of options; a test can break the file for later servers. */
async function mountWithFile(t: Cleanup, more: readonly string[] = []) {
  const store = await openStore(t, manyFiles(20, 100));
  const file = join(await temporaryDirectory(t), 'options.yaml');
  const writeGood = (): Promise<void> => writeFile(file, 'poll-interval: 1s\n');
  const writeBad = (): Promise<void> => writeFile(file, 'poll-interval: never\n');
  await writeGood();
  const mount = await mountStore(t, store, { args: ['--config', file, ...more] });
  return { mount, writeGood, writeBad };
}

async function statusOf(mount: Mount): Promise<Status> {
  return JSON.parse((await dagmount(['status', '--json', '--socket', mount.socket()])).stdout) as Status;
}

describe('a server that is replaced', { skip: mountImpossible || supervisorMissing, concurrency: 3 }, () => {
  test('by dagmount restart: readers notice nothing, and the new one has the options of the file', async (t) => {
    const paths = Array.from({ length: 40 }, (_, index) => `team_${index % 4}/dag_${index}.py`);
    const store = await openStore(t, new Map(paths.map((path) => [path, versionedFile(path, 0, 4)])));
    const mount = await mountStore(t, store, { args: ['--metrics-listen', '127.0.0.1:0'] });
    const port = Number((await mount.logged('listening')).metricsPort);
    const reader = startPython('endure.py', [mount.target, '0'], { stdin: 'pipe', deadlineMs: 120_000 });
    const before = await mount.serverPid();
    const { code, stdout, stderr } = await dagmount(['restart', '--socket', mount.socket()]);
    assert.equal(code, 0, stderr);
    assert.match(
      stdout,
      new RegExp(`^Server \\d+, version \\S+, has taken over from server ${before}\\.$`, 'm'),
    );
    const { pid, mount: seen } = await statusOf(mount);
    assert.notEqual(pid, before);
    assert.deepEqual([seen.supervised, seen.restarts], [true, 1]);
    assert.match(
      await shell('/', `curl -s --max-time 30 http://127.0.0.1:${port}/metrics`),
      /^dagmount_restarts_total 1$/m,
    );
    reader.end();
    const reading = await reader.done;
    assert.equal(reading.code, 0, reading.stderr);
    assert.deepEqual((JSON.parse(reading.stdout) as Outlived).problems, []);
    assert.deepEqual(await mount.stop(), { code: 0, signal: null });
  });

  test('by one that cannot be ready goes on, and restart says so', async (t) => {
    const { mount, writeBad } = await mountWithFile(t);
    const before = await mount.serverPid();
    await writeBad();
    const { code, stderr } = await dagmount(['restart', '--socket', mount.socket()]);
    assert.equal(code, 70);
    assert.match(stderr, /exit code 78/);
    assert.equal((await statusOf(mount)).pid, before);
    assert.equal(mount.log().filter(({ event }) => event === 'restart-failed').length, 1);
    assert.equal((await shell(mount.target, 'find . -type f | wc -l')).trim(), '20');
    assert.deepEqual(await mount.stop(), { code: 0, signal: null });
  });

  test('by none since the mount ends meanwhile says so, and not that it goes on', async (t) => {
    const { mount } = await mountWithFile(t);
    const restart = dagmount(['restart', '--socket', mount.socket()]);
    await waitFor('a second server', () => descendants(mount.pid).length >= 2);
    mount.kill('SIGTERM');
    const { code, stderr } = await restart;
    assert.equal(code, 69, stderr);
    assert.deepEqual(await mount.exit, { code: 0, signal: null });
    assert.equal(mount.log().filter(({ event }) => event === 'restart-failed').length, 0);
    assert.deepEqual(mountsAt(mount.target), []);
  });

  test('by one that does not know how the mount was left goes on; without it the mount is made anew', async (t) => {
    const { mount } = await mountWithFile(t);
    const record = join(mount.socket().replace(/\.sock$/, ''), 'connection.json');
    await writeFile(record, (await readFile(record, 'utf8')).replace(/"format":\d+/, '"format":1000'));
    const { code, stderr } = await dagmount(['restart', '--socket', mount.socket()]);
    assert.equal(code, 70, stderr);
    await mount.logged('restart-failed');
    process.kill(await mount.serverPid(), 'SIGKILL');
    const made = (): number => mount.log().filter(({ event }) => event === 'mounted').length;
    await waitFor('a new mount', () => made() === 2, 60_000);
    assert.equal((await shell(mount.target, 'find . -type f | wc -l')).trim(), '20');
    assert.equal(mountsAt(mount.target).length, 1);
    assert.equal(mount.log().filter(({ event }) => event === 'taken-over').length, 0);
    assert.deepEqual(await mount.stop(), { code: 0, signal: null });
    assert.deepEqual(mountsAt(mount.target), []);
  });

  test('by none at all, and unmounted by then, does not come back', async (t) => {
    const { mount, writeGood, writeBad } = await mountWithFile(t, ['--takeover-deadline', '1s']);
    await writeBad();
    process.kill(await mount.serverPid(), 'SIGKILL');
    await shell('/', `stat ${mount.target}/absent 2>&1 || true`);
    const { code, stderr } = await dagmount(['unmount', mount.target]);
    assert.deepEqual([code, stderr], [0, '']);
    await writeGood();
    await mount.exit;
    assert.deepEqual(mountsAt(mount.target), []);
  });

  test('by none in time gives readers an error, never the bare directory; and a new mount takes the place of theirs', async (t) => {
    const { mount, writeGood, writeBad } = await mountWithFile(t, ['--takeover-deadline', '2s']);
    await writeBad();
    process.kill(await mount.serverPid(), 'SIGKILL');
    // `stat` waits, and then fails: the directory below the mount would have answered that there is no such file.
    const said = await shell('/', `stat ${mount.target}/absent 2>&1 || true`);
    assert.match(said, /not connected|connection abort/i);
    assert.ok(mountsAt(mount.target).length > 0);
    await writeGood();
    const mounted = await waitFor(
      'a new mount',
      () => mount.log().findLast(({ event, restarts }) => event === 'mounted' && Number(restarts) > 0),
      120_000,
    );
    assert.ok(['died', 'late'].includes(String(mounted.cause)), String(mounted.cause));
    assert.equal((await shell(mount.target, 'find . -type f | wc -l')).trim(), '20');
    assert.equal(mountsAt(mount.target).length, 1);
    assert.deepEqual(await mount.stop(), { code: 0, signal: null });
    assert.deepEqual(mountsAt(mount.target), []);
  });
});
