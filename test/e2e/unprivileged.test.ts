import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { startChild } from '../support/child.ts';
import { cleanEnvironment, cli, mountImpossible } from '../support/mount.ts';
import { read, startReader } from '../support/reader.ts';
import { type Cleanup, temporaryDirectory } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';
import { mountStore, openStore } from './fixture.ts';

/** The user nobody, without root's capabilities. */
const nobody = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups'];

/**
 * Runs as the user nobody, in a mount namespace whose /dev/fuse is open to all users, as udev makes it: in some
 * containers and virtual machines only root may open it.
 */
function asNobody(directory: string): readonly string[] {
  const open = 'mknod "$0" c 10 229 && chmod 666 "$0" && mount --bind "$0" /dev/fuse && exec "$@"';
  return ['unshare', '--mount', 'sh', '-c', open, join(directory, 'fuse'), ...nobody];
}

function impossible(): string | false {
  if (process.getuid?.() !== 0) return 'needs root, to become another user';
  if (mountImpossible) return mountImpossible;
  if (!['/usr/bin/fusermount3', '/bin/fusermount3'].some((path) => existsSync(path))) {
    return 'there is no fusermount3 (Debian: apt-get install fuse3)';
  }
  const seen = spawnSync('setpriv', [...nobody.slice(1), 'test', '-r', cli]);
  return seen.status === 0 ? false : 'another user cannot read this repository, or there is no setpriv';
}

/** A directory that the user nobody owns, and can reach. */
async function directoryOfNobody(t: Cleanup): Promise<string> {
  const directory = await temporaryDirectory(t);
  for (const name of ['', 'dags', 'cache', 'run']) {
    const path = join(directory, name);
    if (name !== '') mkdirSync(path);
    chownSync(path, 65534, 65534);
    chmodSync(path, 0o755);
  }
  return directory;
}

describe('without root', { skip: impossible() }, () => {
  test('a mount goes through fusermount3, shows the tree to its user, and ends cleanly', async (t) => {
    const store = await openStore(
      t,
      new Map([
        ['a.py', 'a'],
        ['pkg/b.py', 'b'],
      ]),
    );
    const directory = await directoryOfNobody(t);
    const mount = await mountStore(t, store, {
      wrapper: asNobody(directory),
      target: join(directory, 'dags'),
      cacheDirectory: join(directory, 'cache'),
      env: { XDG_RUNTIME_DIR: join(directory, 'run'), HOME: directory },
    });
    const inside = ['--mount', `--target=${mount.pid}`];
    const look = `cd '${mount.target}' && cat a.py pkg/b.py && stat -c ' %u %g' a.py`;
    assert.equal(await read('nsenter', [...inside, ...nobody, 'sh', '-c', look]), 'ab 65534 65534\n');
    // Without allow_other, not even root can look into the mount.
    await assert.rejects(read('nsenter', [...inside, 'ls', mount.target]), /Permission denied/);
    const beside = startReader(
      'nsenter',
      [...inside, 'sh', '-c', 'echo in; read -r line; cat /proc/self/mountinfo'],
      {
        stdin: 'pipe',
      },
    );
    await waitFor('a process in the namespace', () => beside.stdout() === 'in\n');
    assert.deepEqual(await mount.stop('SIGTERM'), { code: 0, signal: null });
    beside.tell('go on');
    assert.equal((await beside.done).stdout.includes(mount.target), false);
  });

  test('a missing fusermount3 is said, with what installs it: 71', async (t) => {
    const store = await openStore(t, new Map([['a.py', 'a']]));
    const directory = await directoryOfNobody(t);
    const [program, ...rest] = [
      ...nobody,
      process.execPath,
      cli,
      'mount',
      `s3://${store.bucket}/dags`,
      join(directory, 'dags'),
      '--cache-dir',
      join(directory, 'cache'),
      '--endpoint-url',
      store.endpoint,
    ];
    const child = startChild('/usr/bin/env', ['PATH=/nonexistent', '/usr/bin/setpriv', ...rest], {
      env: cleanEnvironment({ ...store.env, XDG_RUNTIME_DIR: join(directory, 'run'), HOME: directory }),
    });
    assert.equal(program, 'setpriv');
    assert.equal((await child.exit).code, 71, child.stderr());
    assert.match(child.stderr(), /fusermount3/);
    assert.match(child.stderr(), /fuse3/);
  });
});
