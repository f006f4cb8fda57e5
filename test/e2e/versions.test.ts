import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { statusOf } from '../support/control.ts';
import { dagmount, type Mount, mountImpossible } from '../support/mount.ts';
import { shell } from '../support/reader.ts';
import { openRoot } from '../support/release-root.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';
import { mountStore } from './fixture.ts';

const NEVER = `sha256-${'e'.repeat(64)}`;

describe('a mount with --versions', { skip: mountImpossible }, () => {
  for (const driver of ['kernel', 'fuse-native'] as const) {
    test(`shows each release that the environment has had beside the current one (${driver})`, async (t) => {
      const root = await openRoot(t);
      await root.deploy({ 'a.py': 'one', 'team/b.py': 'b' });
      const args = ['--ref', 'production', '--versions', '--driver', driver, '--read-deadline', '3s'];
      args.push('--state-dir', await temporaryDirectory(t));
      const store = {
        endpoint: root.seaweedfs.endpoint,
        bucket: root.bucket,
        env: root.seaweedfs.readerEnvironment,
      };
      const options = { source: root.address, args };
      const mount = await mountStore(t, store, options);
      const release = async (of: Mount): Promise<string | undefined> => (await statusOf(of)).release?.id;
      const first = await release(mount);
      await root.deploy({ 'a.py': 'another', 'team/b.py': 'b' });
      await waitFor(
        'the second release',
        async () => (await shell(mount.target, 'cat current/a.py')) === 'another',
      );
      await waitFor('its id', async () => (await release(mount)) !== first);
      const second = await release(mount);

      assert.equal(await shell(mount.target, 'ls; ls versions'), 'current\nversions\n');
      assert.equal(
        await shell(mount.target, `cat versions/${first}/a.py versions/${first}/team/b.py`),
        'oneb',
      );
      const listed = (): Promise<string> => shell(mount.target, 'ls versions | wc -l');
      await waitFor('the listing', async () => (await listed()) === '1\n');
      const attributes = `python3 -c 'import os; print(*(os.getxattr(p, "user.dagmount." + n).decode() for p, n in ((".", "layout"), (".", "release"), ("versions/${first}", "release"))))'`;
      assert.equal(await shell(mount.target, attributes), `versions ${second} ${first}\n`);
      const absent = 'No such file or directory\n';
      for (const name of [NEVER, 'other', `${first}x`])
        assert.ok((await shell(mount.target, `stat versions/${name} 2>&1 || true`)).endsWith(absent));

      const socket = mount.socket();
      const why = await dagmount(['why', `${mount.target}/versions/${first}/a.py`, '--socket', socket], {});
      assert.match(why.stdout, new RegExp(`^version +${first}$`, 'm'), why.stderr);
      const { versions } = await statusOf(mount);
      assert.deepEqual([versions?.shown, versions?.waiting], [1, 0]);
      assert.ok((versions?.lookups.found ?? 0) >= 1, JSON.stringify(versions));
      const reader = `exec 3< versions/${first}/a.py; echo; sleep 0; cat <&3`;
      assert.equal(await shell(mount.target, reader), '\none');
      process.kill(await mount.serverPid(), 'SIGKILL');
      assert.equal(
        await shell(mount.target, `cat versions/${first}/a.py current/a.py`),
        'oneanother',
        'after a takeover',
      );

      await root.remove('manifests/');
      await mount.stop();
      const again = await mountStore(
        t,
        { ...store, env: { ...store.env, AWS_SECRET_ACCESS_KEY: 'another' } },
        { ...options, target: mount.target, cacheDirectory: mount.cacheDirectory },
      );
      assert.equal(
        await shell(again.target, `cat versions/${first}/a.py current/a.py`),
        'oneanother',
        'without the store',
      );
      assert.equal(
        await shell(again.target, `cat versions/${second}/a.py`),
        'another',
        'that of the current tree, which nobody has looked up before',
      );
      await waitFor('the listing', async () => (await listed()) === '2\n');
      const failed = await shell(again.target, `stat versions/${NEVER} 2>&1 || true`);
      assert.match(failed, /Input\/output error/);
    });
  }

  test('is refused over a plain prefix', async (t) => {
    const directory = await temporaryDirectory(t);
    const { code, stderr } = await dagmount(['mount', 's3://bucket/dags', directory, '--versions'], {});
    assert.equal(code, 78);
    assert.match(stderr, /--versions cannot be used without --ref/);
  });
});
