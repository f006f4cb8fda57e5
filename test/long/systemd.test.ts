import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { manyFiles, mountStore, type Objects, openStore } from '../e2e/fixture.ts';
import { cli, mountImpossible, parseLog } from '../support/mount.ts';
import { mountsAt } from '../support/mountinfo.ts';
import { startPython } from '../support/reader.ts';
import { repository } from '../support/repository.ts';
import { Service, underSystemd } from '../support/stand-in-systemd.ts';
import { supervisorMissing } from '../support/supervised.ts';
import { SystemdMachine, systemdImpossible } from '../support/systemd-machine.ts';
import { type Cleanup, temporaryDirectory } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';
import { body, change, outlived, paths } from './endured-changes.ts';

const KILLS = Number(process.env.DAGMOUNT_TEST_KILLS ?? 20);
const READERS = 8;
const FILES = 150;
const service = 'dagmount@dags.service';
const unit = readFileSync(join(repository, 'deploy/systemd/dagmount@.service'), 'utf8');
const endure = join(repository, 'test/support/readers/endure.py');
const scanner = join(repository, 'test/support/readers/scan.py');

for (const takeover of ['resend', 'journal'] as const) {
  test(`by ${takeover}: ${KILLS} times all processes of the service are killed at once under ${READERS} readers, and nobody notices`, {
    skip: mountImpossible || supervisorMissing,
  }, async (t) => {
    const store = await openStore(t, new Map(paths.map((path) => [path, body(path, 0)])));
    const socket = join(await temporaryDirectory(t), 'notify');
    const session = { resend: takeover === 'resend' };
    const mount = await mountStore(t, store, { wrapper: underSystemd(socket), session });
    const systemd = new Service(mount);
    const readers = Array.from({ length: READERS }, (_, index) =>
      startPython('endure.py', [mount.target, String(index)], { stdin: 'pipe', deadlineMs: 900_000 }),
    );
    const over = new AbortController();
    const changing = change(store, over.signal);
    for (let kills = 0; kills < KILLS; kills += 1) {
      await delay(300 + Math.random() * 1200);
      await (kills % 5 === 4 ? systemd.restart() : systemd.killAll());
    }
    over.abort();
    await changing;
    await outlived(t, readers);
    const takeovers = mount.log().filter(({ event }) => event === 'taken-over');
    for (const field of ['unanswered', 'owed'])
      t.diagnostic(`${field}: ${takeovers.map((line) => line[field]).join(' ')}`);
    assert.equal(takeovers.length, KILLS);
    assert.ok(takeovers.every(({ resends }) => resends === (takeover === 'resend')));
    assert.deepEqual(await mount.stop(), { code: 0, signal: null });
    assert.deepEqual(mountsAt(mount.target), []);
  });
}

/** A systemd with the delivered template unit, except for the paths of the program and the settings. */
async function machineWithMount(
  t: Cleanup,
  {
    objects = manyFiles(FILES, 2_000),
    changed = (text) => text,
  }: { objects?: Objects; changed?: (unit: string) => string } = {},
) {
  const store = await openStore(t, objects);
  const directory = await temporaryDirectory(t);
  const target = join(directory, 'dags');
  const elsewhere = join(directory, 'elsewhere');
  for (const each of [target, elsewhere]) await mkdir(each);
  const set = async (at: string): Promise<void> => {
    const settings = {
      ...store.env,
      SOURCE: `s3://${store.bucket}/dags`,
      TARGET: at,
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_REGION: 'us-east-1',
      DAGMOUNT_ENDPOINT_URL: store.endpoint,
      DAGMOUNT_POLL_INTERVAL: '1s',
      DAGMOUNT_SETTLE: '0',
      DAGMOUNT_LOG_FORMAT: 'json',
    };
    const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
    await writeFile(join(directory, 'dags.env'), lines.join(''));
  };
  await set(target);
  const text = changed(unit)
    .replaceAll('/etc/dagmount/', `${directory}/`)
    .replace('[Service]', '[Service]\nStandardOutput=append:/run/log\nStandardError=append:/run/log')
    .replace(/^(ExecStart|ExecReload)=dagmount /gm, `$1=${process.execPath} ${cli} `);
  const machine = await SystemdMachine.start(t, new Map([['dagmount@.service', text]]));
  const show = async (property: string): Promise<string> =>
    (await machine.run(`systemctl show --property ${property} --value ${service}`)).trim();
  const systemctl = async (verb: string): Promise<void> => {
    await machine
      .run(`systemctl ${verb} ${service}`, { deadlineMs: 120_000 })
      .catch(async (error: unknown) => {
        throw new Error(await machine.tries(`systemctl status ${service}; cat /run/log`), { cause: error });
      });
  };
  /** The device number of the mount there, in the mount namespace of that systemd. */
  const deviceAt = (place: string): number | undefined => mountsAt(place, machine.pid)[0]?.minor;
  return { store, target, elsewhere, set, machine, show, systemctl, deviceAt };
}

describe('under a real systemd', { skip: systemdImpossible || mountImpossible || supervisorMissing }, () => {
  test('restart, reload and any death keep the mount, for readers in other namespaces too, and stop takes it away', async (t) => {
    const { target, machine, show, systemctl, deviceAt } = await machineWithMount(t);
    const early = machine.start(
      ['unshare', '--mount', '--propagation', 'slave', 'sh', '-c', 'echo here; read line; ls "$0"', target],
      { stdin: 'pipe', deadlineMs: 300_000 },
    );
    await waitFor('a reader that is there before the mount', () => early.stdout().includes('here'));
    await systemctl('start');
    const device = deviceAt(target);
    assert.notEqual(device, undefined);
    assert.match(await show('StatusText'), /^(Generation 1, 150 files;|$)/);
    const readers = Array.from({ length: 3 }, () =>
      machine.start(['python3', scanner, target, String(FILES)], { stdin: 'pipe', deadlineMs: 300_000 }),
    );
    const server = async (): Promise<string> => {
      const main = await show('MainPID');
      const found = await waitFor('a server', async () =>
        (await machine.tries(`cat /proc/${main}/task/${main}/children`)).trim(),
      );
      return found.split(' ').at(-1) ?? '';
    };
    const mains = new Set<string>([await show('MainPID')]);
    const runsAgain = async (restarts: number): Promise<void> => {
      await waitFor(`restart ${restarts}`, async () => Number(await show('NRestarts')) === restarts, 60_000);
      await waitFor('it to be ready', async () => (await show('SubState')) === 'running', 60_000);
      mains.add(await show('MainPID'));
    };

    await systemctl('restart');
    await runsAgain(0);
    await systemctl('kill --signal SIGKILL');
    await runsAgain(1);
    await systemctl('kill --kill-who main --signal SIGKILL');
    await runsAgain(2);
    assert.equal(mains.size, 4, 'the main process was another one each time');

    const main = await show('MainPID');
    const killed = await server();
    await machine.run(`kill -9 ${killed}`);
    await waitFor('another server', async () => (await server()) !== killed);
    const replaced = await server();
    await waitFor('it to be well', async () => /^Generation/.test(await show('StatusText')));
    await systemctl('reload');
    assert.notEqual(await server(), replaced);
    await waitFor('the end of reloading', async () => (await show('SubState')) === 'running', 60_000);
    assert.equal(await show('MainPID'), main, 'neither is a matter of the service');

    for (const reader of readers) {
      reader.end();
      const { code, stdout, stderr } = await reader.done;
      assert.deepEqual([code, stderr], [0, '']);
      assert.ok(stdout.trim().split('\n').length > 0);
    }
    assert.equal(deviceAt(target), device, 'it is the mount that it was');
    early.tell('go on');
    assert.match((await early.done).stdout, /team_0001/);
    await systemctl('stop');
    assert.equal(deviceAt(target), undefined);
    assert.equal(await show('Result'), 'success');
    assert.equal((await machine.run('ls /run/dagmount')).trim(), '');
  });

  test(`${KILLS} deaths of all of it, or of its main process, while the tree changes are noticed by no reader`, async (t) => {
    const objects = new Map(paths.map((path) => [path, body(path, 0)]));
    const { store, target, machine, show, systemctl, deviceAt } = await machineWithMount(t, { objects });
    await systemctl('start');
    const device = deviceAt(target);
    const readers = Array.from({ length: READERS }, (_, index) =>
      machine.start(['python3', endure, target, String(index)], { stdin: 'pipe', deadlineMs: 900_000 }),
    );
    const over = new AbortController();
    const changing = change(store, over.signal);
    for (let kills = 1; kills <= KILLS; kills += 1) {
      await delay(300 + Math.random() * 1200);
      await systemctl(`kill ${kills % 3 === 0 ? '--kill-who main ' : ''}--signal SIGKILL`);
      await waitFor(`restart ${kills}`, async () => Number(await show('NRestarts')) === kills, 60_000);
      await waitFor('it to be ready', async () => (await show('SubState')) === 'running', 60_000);
    }
    over.abort();
    await changing;
    await outlived(t, readers);
    const takeovers = parseLog(await machine.run('cat /run/log')).filter(
      ({ event }) => event === 'taken-over',
    );
    for (const field of ['unanswered', 'owed'])
      t.diagnostic(`${field}: ${takeovers.map((line) => line[field]).join(' ')}`);
    assert.equal(deviceAt(target), device);
    await systemctl('stop');
    assert.equal(deviceAt(target), undefined);
  });

  test('a supervisor that hangs is killed by the watchdog and replaced, and readers go on', async (t) => {
    const { target, machine, show, systemctl, deviceAt } = await machineWithMount(t, {
      changed: (text) => text.replace(/WatchdogSec=.*/, 'WatchdogSec=3s'),
    });
    await systemctl('start');
    const device = deviceAt(target);
    const reader = machine.start(['python3', scanner, target, String(FILES)], {
      stdin: 'pipe',
      deadlineMs: 300_000,
    });
    await systemctl('kill --kill-who main --signal SIGSTOP');
    await waitFor('another main process', async () => Number(await show('NRestarts')) === 1, 60_000);
    await waitFor('it to be ready', async () => (await show('SubState')) === 'running', 60_000);
    reader.end();
    const { code, stderr } = await reader.done;
    assert.deepEqual([code, stderr], [0, '']);
    assert.equal(deviceAt(target), device);
    await systemctl('stop');
    assert.equal(deviceAt(target), undefined);
  });

  test('a restart after the settings have changed mounts what they name now', async (t) => {
    const { target, elsewhere, set, machine, systemctl, deviceAt } = await machineWithMount(t);
    await systemctl('start');
    await set(elsewhere);
    await systemctl('restart');
    assert.equal(deviceAt(target), undefined);
    assert.notEqual(deviceAt(elsewhere), undefined);
    assert.equal((await machine.run(`find ${elsewhere} -type f | wc -l`)).trim(), String(FILES));
    await systemctl('restart');
    assert.equal((await machine.run(`find ${elsewhere} -type f | wc -l`)).trim(), String(FILES));
    await systemctl('stop');
    assert.equal(deviceAt(elsewhere), undefined);
    assert.equal((await machine.run('ls /run/dagmount')).trim(), '');
  });
});
