import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { dagmount, mountImpossible } from '../support/mount.ts';
import { mountsAt } from '../support/mountinfo.ts';
import { processesNaming } from '../support/processes.ts';
import { shell } from '../support/reader.ts';
import { defer, temporaryDirectory } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';
import { mountStore, openStore } from './fixture.ts';

describe('dagmount', () => {
  test('says its version and helps', async () => {
    const version = await dagmount(['version']);
    assert.equal(version.code, 0);
    assert.match(version.stdout, /\d+\.\d+\.\d+/);
    const help = await dagmount(['help']);
    assert.equal(help.code, 0);
    assert.match(help.stdout, /mount/);
    assert.match((await dagmount(['mount', '--help'])).stdout, /--poll-interval/);
  });

  test('exits 64 without a command, with an unknown one, and with too few arguments', async () => {
    for (const args of [[], ['no-such-command'], ['mount'], ['mount', 's3://bucket']]) {
      const { code, stderr } = await dagmount(args);
      assert.equal(code, 64, `${args.join(' ')}: ${stderr}`);
      assert.notEqual(stderr, '');
    }
  });

  test('prints completions for three shells', async () => {
    for (const shellName of ['bash', 'zsh', 'fish']) {
      const { code, stdout } = await dagmount(['completion', shellName]);
      assert.equal(code, 0);
      assert.match(stdout, /dagmount/);
    }
  });

  test('prints the configuration that it would use, and where each value came from', async () => {
    const { code, stdout } = await dagmount(
      ['mount', 's3://b/p', '/nowhere', '--poll-interval', '3s', '--print-config'],
      { DAGMOUNT_CONCURRENCY: '7' },
    );
    assert.equal(code, 0);
    assert.match(stdout, /poll-interval.*3s.*flag/i);
    assert.match(stdout, /concurrency.*7.*env/i);
  });
});

describe('dagmount', { skip: mountImpossible }, () => {
  test('lists the mounts of this host', async (t) => {
    const store = await openStore(t, new Map([['a.py', 'a']]));
    const mount = await mountStore(t, store);
    const { code, stdout } = await dagmount(['list', '--json']);
    assert.equal(code, 0);
    const mounts = JSON.parse(stdout) as { source: string; target: string; pid: number }[];
    const found = mounts.find((each) => each.target === mount.target);
    assert.match(found?.source ?? '', new RegExp(`^s3://${store.bucket}/dags/?$`));
    await mount.stop();
    assert.doesNotMatch((await dagmount(['list', '--json'])).stdout, new RegExp(mount.target));
  });

  test('returns from mount --daemon when the tree is ready, and unmounts it', async (t) => {
    const store = await openStore(t, new Map([['a.py', 'a']]));
    const directory = await temporaryDirectory(t);
    const target = join(directory, 'dags');
    await mkdir(target);
    defer(t, async () => {
      if (mountsAt(target).length > 0) await dagmount(['unmount', target]);
    });
    const mounted = await dagmount(
      [
        'mount',
        `s3://${store.bucket}/dags`,
        target,
        '--daemon',
        '--endpoint-url',
        store.endpoint,
        '--cache-dir',
        join(directory, 'cache'),
      ],
      store.env,
    );
    assert.equal(mounted.code, 0, mounted.stderr);
    assert.equal(await shell(target, 'cat a.py'), 'a');
    const unmounted = await dagmount(['umount', target]);
    assert.equal(unmounted.code, 0, unmounted.stderr);
    assert.deepEqual(mountsAt(target), []);
    await waitFor('the daemon to be gone', () => processesNaming(directory).length === 0);
  });

  test('doctor says that all is well where it is', async (t) => {
    const store = await openStore(t, new Map([['a.py', 'a']]));
    const { code, stdout, stderr } = await dagmount(
      ['doctor', `s3://${store.bucket}/dags`, '--endpoint-url', store.endpoint],
      store.env,
    );
    assert.equal(code, 0, stdout + stderr);
  });

  test('doctor exits with the code of what is wrong', async (t) => {
    const store = await openStore(t);
    const { code } = await dagmount(
      ['doctor', 's3://no-such-bucket-here/dags', '--endpoint-url', store.endpoint],
      store.env,
    );
    assert.equal(code, 66);
  });
});
