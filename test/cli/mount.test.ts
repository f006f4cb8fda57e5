import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parseLog } from '../support/mount.ts';
import { repository } from '../support/repository.ts';
import { waitFor } from '../support/wait-for.ts';
import { type FakeMount, fakeMount } from './fake-command.ts';

function events({ child }: FakeMount): readonly string[] {
  return parseLog(child.stderr()).map(({ event }) => event);
}

async function logged(mount: FakeMount, event: string): Promise<void> {
  await waitFor(`"${event}" in ${mount.child.stderr()}`, () => events(mount).includes(event));
}

describe('a mount in the foreground', () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    test(`ends by ${signal} with 0`, async (t) => {
      const mount = await fakeMount(t, 'ready');
      await logged(mount, 'ready');
      mount.child.kill(signal);
      assert.deepEqual(await mount.child.exit, { code: 0, signal: null });
      assert.deepEqual(events(mount), ['ready', 'unmounted']);
      assert.equal(mount.child.stdout(), '');
    });
  }

  test('looks at the store by SIGHUP, as often as it comes', async (t) => {
    const mount = await fakeMount(t, 'ready');
    await logged(mount, 'ready');
    for (const count of [1, 2]) {
      mount.child.kill('SIGHUP');
      await waitFor('a refresh', () => events(mount).filter((each) => each === 'refreshed').length === count);
    }
    mount.child.kill('SIGTERM');
    assert.equal((await mount.child.exit).code, 0);
  });

  test('that does not end is ended at once by a second signal', async (t) => {
    const mount = await fakeMount(t, 'stuck');
    await logged(mount, 'stuck');
    mount.child.kill('SIGTERM');
    mount.child.kill('SIGINT');
    const { code } = await mount.child.exit;
    assert.ok(code === 130 || code === 143, String(code));
    assert.equal(events(mount).at(-1), 'stopped-at-once');
  });

  test('that is told to stop before it is ready ends with 0', async (t) => {
    const mount = await fakeMount(t, 'slow');
    await logged(mount, 'slow');
    mount.child.kill('SIGTERM');
    assert.equal((await mount.child.exit).code, 0, mount.child.stderr());
  });

  test('that somebody unmounts ends with 0', async (t) => {
    const mount = await fakeMount(t, 'outside');
    assert.equal((await mount.child.exit).code, 0);
  });

  test('that fails says so as JSON where the log is, with the exit code', async (t) => {
    const mount = await fakeMount(t, 'denied');
    assert.equal((await mount.child.exit).code, 77);
    const [line, ...more] = parseLog(mount.child.stderr());
    assert.deepEqual(more, []);
    assert.equal(line?.level, 'fatal');
    assert.equal(line?.code, 'denied');
    assert.equal(line?.exitCode, 77);
    assert.equal(line?.event, 'failed');
    assert.equal(line?.hint, 'Grant s3:ListBucket.');
    assert.ok(!('stack' in (line ?? {})));
  });

  test('that fails says so to people in two lines', async (t) => {
    const mount = await fakeMount(t, 'denied', ['--log-format', 'pretty']);
    assert.equal((await mount.child.exit).code, 77);
    assert.equal(
      mount.child.stderr(),
      'dagmount: The store refused access: AccessDenied.\nGrant s3:ListBucket.\n',
    );
  });

  test('that fails for a fault of its own shows where only at debug', async (t) => {
    const plain = await fakeMount(t, 'broken', ['--log-format', 'pretty']);
    assert.equal((await plain.child.exit).code, 70);
    assert.match(plain.child.stderr(), /^dagmount: Internal error: boom\.\n.*--log-level debug.*\n$/);
    const told = await fakeMount(t, 'broken', ['--log-format', 'pretty', '--log-level', 'debug']);
    assert.equal((await told.child.exit).code, 70);
    assert.match(told.child.stderr(), /^\s+at /m);
  });

  test('that throws outside of any command ends with 70', async (t) => {
    const mount = await fakeMount(t, 'uncaught');
    assert.equal((await mount.child.exit).code, 70);
    assert.match(mount.child.stderr(), /out of nowhere/);
  });
});

describe('results that cannot be written', () => {
  const command = `"${process.execPath}" "${join(repository, 'dist/bundle/cli/main.js')}" help mount`;

  test('end the command with an error', {
    skip: statSync('/dev/full', { throwIfNoEntry: false }) === undefined ? 'there is no /dev/full' : false,
  }, () => {
    const { status, stderr } = spawnSync('sh', ['-c', `${command} > /dev/full`], { encoding: 'utf8' });
    assert.equal(status, 73);
    assert.equal(
      stderr,
      'dagmount: The output could not be written (ENOSPC).\nFree space on the disk that the output goes to.\n',
    );
  });

  test('are no error once the reader has closed the pipe', () => {
    const { stderr } = spawnSync('sh', ['-c', `${command} | head -1`], { encoding: 'utf8' });
    assert.equal(stderr, '');
  });
});
