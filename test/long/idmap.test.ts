import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { mountStore, openStore, type Store } from '../e2e/fixture.ts';
import { type Mount, mountImpossible } from '../support/mount.ts';
import { mountCallImpossible } from '../support/privileges.ts';
import { startReader } from '../support/reader.ts';
import { repository } from '../support/repository.ts';
import { serverOf, supervisorMissing } from '../support/supervised.ts';
import { type Cleanup, temporaryDirectory } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';

function impossible(): string | false {
  const [major = 0, minor = 0] = release().split('.').map(Number);
  if (major < 6 || (major === 6 && minor < 12)) return 'FUSE filesystems are idmapped from Linux 6.12 on';
  if (spawnSync('cc', ['--version']).error !== undefined) return 'there is no C compiler';
  return false;
}

/** Runs a shell command as root of a user namespace; `$0` is an idmapped mount of the mount. */
async function inUserNamespace(t: Cleanup, mount: Mount, command: string) {
  const directory = await temporaryDirectory(t);
  const [program, volume] = [join(directory, 'idmapped-bind'), join(directory, 'volume')];
  mkdirSync(volume);
  chmodSync(directory, 0o755);
  const source = join(repository, 'test/support/idmapped-bind.c');
  const { status, stderr } = spawnSync('cc', ['-std=gnu17', '-o', program, source], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  const words = [mount.target, volume, 'sh', '-c', command, volume];
  return { reader: startReader(program, words, { cwd: '/', stdin: 'pipe' }), volume };
}

const READ_ALL = 'stat -c "%u %g %a %n" "$0"/dag.py "$0"/team; cat "$0"/dag.py "$0"/team/b.py';

function openTree(t: Cleanup): Promise<Store> {
  return openStore(
    t,
    new Map([
      ['dag.py', 'a\n'],
      ['team/b.py', 'b\n'],
    ]),
  );
}

describe('an idmapped mount of a mount', {
  skip: mountImpossible || mountCallImpossible || supervisorMissing || impossible(),
}, () => {
  test('with --allow-idmap is read by root of a user namespace, who owns it there, also if it was made before the server is killed', async (t) => {
    const mount = await mountStore(t, await openTree(t), { args: ['--allow-idmap'] });
    const expected = (volume: string): string => `0 0 444 ${volume}/dag.py\n0 0 555 ${volume}/team\na\nb\n`;
    const before = await inUserNamespace(t, mount, `echo here; read line; ${READ_ALL}`);
    await waitFor('an idmapped mount', () => before.reader.stdout() === 'here\n');
    const killed = serverOf(mount.pid) ?? -1;
    process.kill(killed, 'SIGKILL');
    await waitFor('another server', () => ![undefined, killed].includes(serverOf(mount.pid)));
    before.reader.tell('there is another server');
    const after = await inUserNamespace(t, mount, READ_ALL);
    const [old, fresh] = await Promise.all([before.reader.done, after.reader.done]);
    assert.deepEqual([old.code, old.stderr, old.stdout], [0, '', `here\n${expected(before.volume)}`]);
    assert.deepEqual([fresh.code, fresh.stderr, fresh.stdout], [0, '', expected(after.volume)]);
    assert.ok(mount.log().every(({ event }) => event !== 'idmap-not-allowed'));
    assert.deepEqual(await mount.stop(), { code: 0, signal: null });
  });

  test('cannot be made without --allow-idmap', async (t) => {
    const mount = await mountStore(t, await openTree(t));
    const { reader } = await inUserNamespace(t, mount, READ_ALL);
    const { code, stderr } = await reader.done;
    assert.deepEqual([code, stderr], [2, 'mount_setattr: EINVAL\n']);
  });
});
