import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { manyFiles, openStore } from '../e2e/fixture.ts';
import { cli } from '../support/mount.ts';
import { repository } from '../support/repository.ts';
import { SystemdMachine, systemdImpossible } from '../support/systemd-machine.ts';
import { type Cleanup, temporaryDirectory } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';

const unit = readFileSync(join(repository, 'deploy/systemd/dagmount@.service'), 'utf8');

/** A systemd with the template unit as it is delivered, but for where the program and the settings are. */
async function machineWithMount(t: Cleanup) {
  const store = await openStore(t, manyFiles(150, 2_000));
  const directory = await temporaryDirectory(t);
  const target = join(directory, 'dags');
  await mkdir(target);
  const settings = {
    ...store.env,
    SOURCE: `s3://${store.bucket}/dags`,
    TARGET: target,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_REGION: 'us-east-1',
    DAGMOUNT_ENDPOINT_URL: store.endpoint,
    DAGMOUNT_POLL_INTERVAL: '1s',
    DAGMOUNT_SETTLE: '0',
    DAGMOUNT_LOG_FORMAT: 'json',
  };
  await writeFile(
    join(directory, 'dags.env'),
    Object.entries(settings)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  );
  const text = unit.replaceAll('/etc/dagmount/', `${directory}/`).replace(
    'ExecStart=dagmount ',
    `StandardOutput=append:/run/out
StandardError=append:/run/err
ExecStart=${process.execPath} ${cli} `,
  );
  const machine = await SystemdMachine.start(t, new Map([['dagmount@.service', text]]));
  return { store, target, machine };
}

describe('under a real systemd', { skip: systemdImpossible }, () => {
  test('systemctl restart and the death of all processes keep the mount, and stop takes it away', async (t) => {
    const { store, target, machine } = await machineWithMount(t);
    await machine.run('systemctl start dagmount@dags').catch(async (error) => {
      console.log(await machine.tries('cat /run/err; systemctl status dagmount@dags'), machine.console());
      throw error;
    });
    console.log(
      await machine.tries(
        `systemctl status dagmount@dags; grep ${target} /proc/self/mountinfo; systemctl list-units | head -30`,
      ),
    );
    const scan = join(repository, 'test/support/readers/scan.py');
    const readers = Array.from({ length: 2 }, () =>
      machine.start(['python3', scan, target, '150'], { stdin: 'pipe' }),
    );
    await machine.run('systemctl restart dagmount@dags');
    console.log(await machine.tries(`systemctl status dagmount@dags; grep ${target} /proc/self/mountinfo`));
    await machine.run('systemctl kill --signal SIGKILL dagmount@dags');
    await waitFor(
      'x',
      async () => !(await machine.tries('systemctl show -P NRestarts dagmount@dags')).startsWith('0'),
    );
    await waitFor('x', async () =>
      (await machine.tries('systemctl is-active dagmount@dags')).startsWith('active'),
    );
    console.log(await machine.tries(`systemctl status dagmount@dags; grep ${target} /proc/self/mountinfo`));
    for (const reader of readers) {
      reader.end();
      console.log(await reader.done);
    }
    await machine.run('systemctl stop dagmount@dags');
    console.log(
      await machine.tries(
        `systemctl status dagmount@dags; grep ${target} /proc/self/mountinfo; ls /run/dagmount; cat /run/err`,
      ),
      machine.console(),
    );
  });
});
