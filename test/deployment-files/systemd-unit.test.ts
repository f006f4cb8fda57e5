import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { repository } from '../support/repository.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const unit = readFileSync(join(repository, 'deploy/systemd/dagmount@.service'), 'utf8');

/** Settings that give a service a mount namespace, from which no mount reaches the host: systemd.exec(5) and others. */
const CUTS_PROPAGATION =
  /^(ProtectSystem|ProtectHome|ProtectProc|ProcSubset|ProtectKernel(Tunables|Modules|Logs)|ProtectControlGroups|Private(Tmp|Devices|Mounts|IPC|Users|PIDs)|DynamicUser|Root(Directory|Image|Ephemeral)|Mount(Flags|APIVFS|Images)|ExtensionImages|ExtensionDirectories|Bind(ReadOnly)?Paths|TemporaryFileSystem|(ReadOnly|ReadWrite|Inaccessible|Exec|NoExec)Paths|(ReadOnly|ReadWrite|Inaccessible)Directories|JoinsNamespaceOf|LogNamespace|BindLogSockets|(IPC|Network)NamespacePath)=/m;

const found = spawnSync('systemd-analyze', ['--version'], { encoding: 'utf8', timeout: 30_000 });
const version = Number(/systemd (\d+)/.exec(found.stdout ?? '')?.[1] ?? 0);
const without = version >= 250 ? false : 'there is no systemd-analyze of version 250 or later here';

describe('the template unit for systemd', () => {
  test('has nothing that hides the mount from the host', () => {
    assert.doesNotMatch(unit, CUTS_PROPAGATION);
  });

  test('is valid, as systemd has it', { skip: without }, async (t) => {
    const directory = await temporaryDirectory(t);
    const file = join(directory, 'dagmount@dags.service');
    // systemd-analyze looks for the program, which is wherever npm put it.
    await writeFile(file, unit.replace(/^(Exec\w+)=dagmount /gm, `$1=${process.execPath} dagmount `));
    const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', file], {
      encoding: 'utf8',
      timeout: 60_000,
    });
    const said = `${stdout}${stderr}`.split('\n').filter((line) => line.includes('dagmount'));
    assert.deepEqual([status, said], [0, []], stderr);
  });

  test('leaves the service less than half of the exposure that there is', { skip: without }, (t) => {
    const file = join(repository, 'deploy/systemd/dagmount@.service');
    const { status, stdout, stderr } = spawnSync(
      'systemd-analyze',
      ['security', '--offline=true', '--no-pager', '--threshold=50', file],
      { encoding: 'utf8', timeout: 60_000 },
    );
    t.diagnostic(stdout.trim().split('\n').at(-1) ?? '');
    assert.equal(status, 0, stdout + stderr);
  });
});
