import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type DriverLock, driverLockPaths, lockDriver } from '../../src/csi/driver-lock.ts';
import { addonPath, loadAddon } from '../../src/session/kernel/addon.ts';
import { startChild } from '../support/child.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { type Cleanup, defer, temporaryDirectory } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';

const NEVER = new AbortController().signal;
const HOLD = `process.stdout.write(String(require(process.argv[1]).lockFile(process.argv[2]) >= 0));
  setTimeout(() => {}, 600_000);`;

async function site(t: Cleanup) {
  const directory = await temporaryDirectory(t);
  const paths = (of: Partial<Record<'kubelet' | 'state' | 'cache' | 'socket', string>> = {}) => {
    const { kubelet = 'kubelet', state = 'state', cache = 'cache', socket = 'csi.sock' } = of;
    const at = (name: string): string => join(directory, name);
    return driverLockPaths(
      { stateDirectory: at(state), cacheDirectory: at(cache) },
      at(kubelet),
      at(`sockets/${socket}`),
    );
  };
  const clock = new FakeClock();
  const log = new RecordingLog();
  const lock = async (own = paths(), signal = NEVER, name = 'new-pod'): Promise<DriverLock> => {
    const made = await lockDriver({
      paths: own,
      lockFile: (path) => loadAddon().lockFile(path),
      name,
      clock,
      log,
      signal,
    });
    defer(t, () => made.release());
    return made;
  };
  return { directory, paths, clock, log, lock };
}

describe('a driver that starts while another one runs', () => {
  test('waits for its end, and says for whose', async (t) => {
    const { clock, log, lock } = await site(t);
    const first = await lock(undefined, NEVER, 'old-pod');
    let isIn = false;
    const second = lock().then(() => {
      isIn = true;
    });
    await waitFor('the wait', () => log.told('driver-waits').length === 1);
    await clock.advance(30_000);
    assert.equal(isIn, false);
    first.release();
    await clock.advance(1_000);
    await second;
    assert.match(String(log.told('driver-waits')[0]?.other), /^old-pod, since \d{4}-/);
    assert.equal(log.told('driver-waits').length, 1);
  });

  test('goes on at once when that one was killed', async (t) => {
    const { clock, paths, lock } = await site(t);
    (await lock()).release();
    const path = paths()[1] ?? '';
    const other = startChild(process.execPath, ['-e', HOLD, addonPath(), path]);
    defer(t, () => void other.kill('SIGKILL'));
    await waitFor('the lock of the other one', () => other.stdout() === 'true');
    const second = lock();
    second.catch(() => undefined);
    await clock.advance(1_000);
    other.kill('SIGKILL');
    await other.exit;
    await clock.advance(1_000);
    await second;
  });

  test('fails after a minute in which the other one does not end, and leaves what it had locked', async (t) => {
    const { clock, paths, lock } = await site(t);
    const first = await lock(paths({ kubelet: 'of-another-cluster', socket: 'other.sock', cache: 'other' }));
    const second = assert.rejects(lock(), (error: { code: string; message: string; hint: string }) => {
      assert.equal(error.code, 'driver-running');
      assert.match(
        error.message,
        /Another driver runs on this node \(new-pod, since .*\): .*\/state\/lock\./,
      );
      assert.match(error.hint, /DaemonSets/);
      return true;
    });
    await clock.advance(61_000);
    await second;
    first.release();
    await lock();
  });

  test('is kept apart by anything that both would use, and by nothing else', async (t) => {
    const { clock, paths, lock } = await site(t);
    await lock();
    const other = { kubelet: 'kubelet-2', state: 'state-2', cache: 'cache-2', socket: 'csi-2.sock' };
    for (const shared of ['kubelet', 'state', 'cache', 'socket'] as const) {
      const { [shared]: _, ...own } = other;
      const refused = assert.rejects(lock(paths(own)), { code: 'driver-running' }, shared);
      await clock.advance(61_000);
      await refused;
    }
    await lock(paths(other));
  });

  test('stops waiting when it is ended', async (t) => {
    const { lock, log, clock } = await site(t);
    await lock();
    const ending = new AbortController();
    const second = assert.rejects(lock(undefined, ending.signal));
    await waitFor('the wait', () => log.told('driver-waits').length === 1);
    ending.abort();
    await clock.advance(1_000);
    await second;
  });
});

test('a driver does not wait for itself where two of its directories are one, also by a link', async (t) => {
  const { directory, paths, lock, log } = await site(t);
  mkdirSync(join(directory, 'state'));
  symlinkSync('state', join(directory, 'link'));
  (await lock(paths({ cache: 'state' }))).release();
  (await lock(paths({ cache: 'link' }))).release();
  assert.deepEqual(log.told('driver-waits'), []);
});

test('a driver whose directory cannot be made says which one', async (t) => {
  const { directory, paths, lock } = await site(t);
  writeFileSync(join(directory, 'file'), '');
  const failure = { code: 'driver-unlockable', message: /file\/lock \(ENOTDIR|file\/lock \(EEXIST/ };
  await assert.rejects(lock(paths({ state: 'file' })), failure);
  await lock();
  assert.ok(paths().every((path) => existsSync(path)));
  assert.match(readFileSync(paths()[0] ?? '', 'utf8'), /^new-pod, since /);
});
