import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { metricsOf, statusOf } from '../support/control.ts';
import { launchMount, mountImpossible } from '../support/mount.ts';
import { mountsAt } from '../support/mountinfo.ts';
import { shell } from '../support/reader.ts';
import { openRoot } from '../support/release-root.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';
import { mountStore } from './fixture.ts';

describe('a release that an environment points to', { skip: mountImpossible }, () => {
  test('is not mounted at a first start if its pack is missing', async (t) => {
    const root = await openRoot(t);
    await root.deploy({ 'a.py': 'one', 'b.py': 'two' });
    await root.remove('packs/');
    const { endpoint, readerEnvironment } = root.seaweedfs;
    const stateDirectory = await temporaryDirectory(t);
    const mount = await launchMount(t, {
      source: root.address,
      env: readerEnvironment,
      args: ['--endpoint-url', endpoint, '--ref', 'production', '--state-dir', stateDirectory],
    });
    assert.equal((await mount.logged('failed')).code, 'missing-pack');
    assert.equal((await mount.exit).code, 65);
    assert.deepEqual(mountsAt(mount.target), []);
  });

  test('is shown, changed and taken back as a whole, and goes on being read without its store', async (t) => {
    const root = await openRoot(t);
    const large = Buffer.alloc(17 * 1024 * 1024, 'a line of a large file\n').toString();
    const first = {
      'a.py': 'one',
      'team/b.py': 'two',
      'team/copy.py': 'two',
      'data/large.csv': large,
      'empty.py': '',
    };
    await root.deploy(first);
    const args = ['--ref', 'production', '--state-dir', await temporaryDirectory(t)];
    const store = {
      endpoint: root.seaweedfs.endpoint,
      bucket: root.bucket,
      env: root.seaweedfs.readerEnvironment,
    };
    const mount = await mountStore(t, store, { source: root.address, args });
    const seen = (): Promise<string> =>
      shell(mount.target, 'cat a.py team/*.py empty.py; find . -type f | sort');
    assert.equal(
      await seen(),
      'onetwotwo./a.py\n./data/large.csv\n./empty.py\n./team/b.py\n./team/copy.py\n',
    );
    const sum = createHash('sha256').update(large).digest('hex');
    assert.equal(await shell(mount.target, 'sha256sum < data/large.csv'), `${sum}  -\n`);
    const once = (await metricsOf(mount))('source_bytes_total') ?? 0;
    assert.ok(once < 1.05 * large.length, `${once} bytes were sent`);

    await root.deploy({ 'a.py': 'another', 'team/moved.py': 'two', 'data/large.csv': large });
    await waitFor('the second release', async () => (await seen()).startsWith('another'));
    assert.equal(await seen(), 'anothertwo./a.py\n./data/large.csv\n./team/moved.py\n');

    const bytes = async (): Promise<number> => (await metricsOf(mount))('source_bytes_total') ?? 0;
    const before = await bytes();
    await root.command('rollback', 'production', '-m', 'back');
    await waitFor('the first release', async () => (await seen()).startsWith('onetwotwo'));
    const fetched = (await bytes()) - before;
    assert.ok(fetched < 10_000, `refs and a manifest alone are fetched, and ${fetched} bytes were`);

    const label = (name: string): Promise<string> =>
      shell(
        mount.target,
        `python3 -c 'import os; print(os.getxattr(".", "user.dagmount.${name}").decode(), end="")'`,
      );
    // Readers see the tree before the kernel has answered for all of it.
    await waitFor('the step', async () => (await label('seq')) === '3');
    const rolledBack = (await statusOf(mount)).release;
    assert.deepEqual(
      [await label('release'), await label('seq'), await label('ready')],
      [rolledBack?.id, '3', 'true'],
    );
    assert.match(await label('staleness'), /^\d+(\.\d+)?$/);
    // The same tree again is a step of its own.
    await root.command('rollback', 'production', '--to', '3', '-m', 'the same');
    await waitFor('the step that shows the same tree', async () => (await label('seq')) === '4');
    assert.equal(await label('release'), rolledBack?.id);

    await root.remove('packs/');
    assert.equal(
      await seen(),
      'onetwotwo./a.py\n./data/large.csv\n./empty.py\n./team/b.py\n./team/copy.py\n',
    );
    await root.remove('refs/');
    await waitFor('the ref to be missed', async () => (await statusOf(mount)).held?.reason === 'missing-ref');
    assert.match(await seen(), /^onetwotwo/);

    process.kill(await mount.serverPid(), 'SIGKILL');
    assert.match(await seen(), /^onetwotwo/, 'by the server that took over');
    assert.deepEqual(
      [await label('release'), await label('seq')],
      [rolledBack?.id, '4'],
      'by the server that took over',
    );
    const { cacheDirectory } = mount;
    await mount.stop();
    const again = await mountStore(t, store, {
      source: root.address,
      args,
      cacheDirectory,
      target: mount.target,
    });
    const kept = await statusOf(again);
    assert.deepEqual([kept.generation?.files, kept.release?.seq, kept.release?.message], [5, 4, 'the same']);
    assert.equal(await shell(mount.target, 'sha256sum < data/large.csv'), `${sum}  -\n`);
  });
});
