import assert from 'node:assert/strict';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isRunning } from '../../src/host/process.ts';
import { startChild } from '../support/child.ts';
import { cleanEnvironment, parseLog } from '../support/mount.ts';
import { descendants, heedsHangUp, processesNaming, startedWith } from '../support/processes.ts';
import { argumentsOf, processesNamed, supervisorMissing } from '../support/supervised.ts';
import { type Cleanup, defer, temporaryDirectory } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';
import { type FakeMount, fakeMount, logOf } from './fake-command.ts';

/** The pid and the log that a starting daemon prints. */
async function started(
  t: Cleanup,
  mount: FakeMount,
): Promise<{ readonly pid: number; readonly log: () => ReturnType<typeof parseLog> }> {
  const { code } = await mount.child.exit;
  assert.equal(code, 0, mount.child.stderr());
  const pid = Number(/\(pid (\d+)\)/.exec(mount.child.stdout())?.[1]);
  defer(t, () => {
    for (const each of [pid, ...descendants(pid)])
      if (isRunning({ pid: each })) process.kill(each, 'SIGKILL');
  });
  const path = await logOf(t, mount.child.stdout());
  return { pid, log: () => parseLog(readFileSync(path, 'utf8')) };
}

/** The files that a process has open. */
function filesOf(pid: number): readonly string[] {
  const directory = `/proc/${pid}/fd`;
  return readdirSync(directory).map((fd) => readlinkSync(join(directory, fd)));
}

describe('mount --daemon', () => {
  test('returns when the mount is ready, says where its log is, and leaves it running', async (t) => {
    const mount = await fakeMount(t, 'ready', ['--daemon']);
    const { pid, log } = await started(t, mount);
    assert.match(
      mount.child.stdout(),
      /^s3:\/\/ready\/p\/ is mounted on \/.*\/dags \(pid \d+\); its log is \/.*\.log\n$/,
    );
    assert.equal(mount.child.stderr(), '');
    assert.ok(isRunning({ pid }));
    assert.equal(readlinkSync(`/proc/${pid}/cwd`), '/', 'its supervisor keeps no directory busy, either');
    const ready = await waitFor('its log', () => log().find(({ event }) => event === 'ready'));
    assert.equal(ready.cwd, '/', 'it keeps no directory busy');
    assert.deepEqual(ready.left, [], 'what it starts in its turn is no daemon');
    process.kill(pid, 'SIGTERM');
    await waitFor('it to end', () => !isRunning({ pid }));
    assert.equal(log().at(-1)?.event, 'unmounted');
  });

  test('says the process that stays, where that is not the one that was started', async (t) => {
    const { pid } = await started(t, await fakeMount(t, 'alone', ['--daemon']));
    assert.doesNotMatch(readFileSync(`/proc/${pid}/comm`, 'latin1'), /^dagmount-superv/);
    process.kill(pid, 'SIGTERM');
    await waitFor('it to end', () => !isRunning({ pid }));
  });

  test('can be asked for in the environment, with relative paths', async (t) => {
    const env = { DAGMOUNT_DAEMON: 'true', DAGMOUNT_CA_FILE: 'ca.pem', AWS_SHARED_CREDENTIALS_FILE: 'keys' };
    const mount = await fakeMount(t, 'ready', [], env);
    const { pid, log } = await started(t, mount);
    const ready = await waitFor('its log', () => log().find(({ event }) => event === 'ready'));
    assert.deepEqual(
      [ready.caFile, ready.credentials],
      [join(mount.directory, 'ca.pem'), join(mount.directory, 'keys')],
    );
    process.kill(pid, 'SIGTERM');
    await waitFor('it to end', () => !isRunning({ pid }));
    await waitFor('its last words', () => log().at(-1)?.event === 'unmounted');
  });

  test('resolves relative paths in each server as in the first one, also if its supervisor died', {
    skip: supervisorMissing,
  }, async (t) => {
    const env = { DAGMOUNT_CA_FILE: 'ca.pem' };
    const mount = await fakeMount(t, 'kept', ['--daemon'], env);
    const { pid, log } = await started(t, mount);
    const serverLines = () => log().filter(({ event }) => event === 'kept');
    const first = await waitFor('the first server', () => serverLines()[0]);
    const server = Number(first.pid);
    process.kill(pid, 'SIGKILL');
    const adopter = await waitFor('another supervisor', () =>
      processesNamed('dagmount-superv').find((each) => argumentsOf(each).includes(String(server))),
    );
    defer(t, () => {
      for (const each of [...descendants(adopter), server, adopter])
        if (isRunning({ pid: each })) process.kill(each, 'SIGKILL');
    });
    await waitFor('it to keep the connection', () => filesOf(adopter).includes(mount.target));
    process.kill(server, 'SIGKILL');
    const next = await waitFor('the next server', () => serverLines()[1]);
    const { directory, target } = mount;
    const expected = { cwd: '/', target, caFile: join(directory, 'ca.pem') };
    for (const { cwd, target: place, caFile } of [first, next])
      assert.deepEqual({ cwd, target: place, caFile }, expected);
    assert.equal(readlinkSync(`/proc/${adopter}/cwd`), '/');
    process.kill(adopter, 'SIGTERM');
    await waitFor('all to be gone', () => processesNaming(directory).length === 0);
  });

  test('is a session of its own', async (t) => {
    const { pid } = await started(t, await fakeMount(t, 'ready', ['--daemon']));
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const [, , , session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    assert.equal(Number(session), pid);
    process.kill(pid, 'SIGTERM');
    await waitFor('it to end', () => !isRunning({ pid }));
  });

  test('that fails says what is wrong as the foreground would, with its exit code', async (t) => {
    const mount = await fakeMount(t, 'denied', ['--daemon']);
    assert.equal((await mount.child.exit).code, 77);
    assert.equal(
      mount.child.stderr(),
      'dagmount: The store refused access: AccessDenied.\nGrant s3:ListBucket.\n',
    );
    assert.deepEqual(processesNaming(mount.directory), []);
  });

  test('whose first server fails after it has served waits for the successor', {
    skip: supervisorMissing,
  }, async (t) => {
    const { pid, log } = await started(t, await fakeMount(t, 'succeeded', ['--daemon']));
    assert.deepEqual(
      log().flatMap(({ event, code }) => (event === 'failed' ? [code] : [])),
      ['session-failed'],
    );
    process.kill(pid, 'SIGTERM');
    await waitFor('it to end', () => !isRunning({ pid }));
  });

  test('with a bad value is refused before anything is started', async (t) => {
    const mount = await fakeMount(t, 'ready', ['--daemon', '--concurrency', '0']);
    assert.equal((await mount.child.exit).code, 78);
    assert.match(mount.child.stderr(), /--concurrency/);
  });

  for (const [behaviour, how] of [
    ['dies', /exit code 3/],
    ['killed', /SIGKILL/],
  ] as const) {
    test(`whose process ${behaviour} without a word says how and where its log is`, async (t) => {
      const mount = await fakeMount(t, behaviour, ['--daemon']);
      assert.equal((await mount.child.exit).code, 70);
      assert.match(mount.child.stderr(), how);
      await logOf(t, mount.child.stderr());
    });
  }

  test('whose process meets an error that nobody foresaw tells it, and has it in its log', async (t) => {
    const mount = await fakeMount(t, 'uncaught', ['--daemon']);
    assert.equal((await mount.child.exit).code, 70);
    assert.match(mount.child.stderr(), /out of nowhere/);
  });

  test('takes no SIGHUP for its end before it is ready, and the mount takes it for what it is', async (t) => {
    const mount = await fakeMount(t, 'asked', ['--daemon']);
    const isServer = (pid: number): boolean => startedWith(pid, 'DAGMOUNT_READY_FD') && heedsHangUp(pid);
    const server = await waitFor('its server', () => descendants(mount.child.pid).find(isServer));
    await waitFor('the command', () => heedsHangUp(mount.child.pid));
    mount.child.kill('SIGHUP');
    process.kill(server, 'SIGHUP');
    const { pid } = await started(t, mount);
    process.kill(pid, 'SIGTERM');
    await waitFor('it to end', () => !isRunning({ pid }));
  });

  test('that is interrupted before it is ready leaves no process', async (t) => {
    const mount = await fakeMount(t, 'slow', ['--daemon']);
    // These are the command, the supervisor and the server.
    await waitFor('all processes', () => processesNaming(mount.directory).length === 3);
    mount.child.kill('SIGINT');
    assert.equal((await mount.child.exit).code, 75);
    assert.match(mount.child.stderr(), /Stopped before the mount was ready/);
    await waitFor('all to be gone', () => processesNaming(mount.directory).length === 0);
  });

  test('that is interrupted before its daemon is started starts none', async (t) => {
    const directory = await temporaryDirectory(t);
    const program = join(dirname(fileURLToPath(import.meta.url)), 'interrupted-command.js');
    const child = startChild(process.execPath, [program], {
      env: cleanEnvironment({ DAGMOUNT_RUNTIME_DIR: join(directory, 'run') }),
    });
    assert.equal((await child.exit).code, 75, child.stderr());
    assert.match(child.stderr(), /Stopped before the mount was ready/);
    assert.deepEqual(
      readdirSync(directory, { recursive: true }).filter((name) => String(name).endsWith('.log')),
      [],
    );
  });
});
