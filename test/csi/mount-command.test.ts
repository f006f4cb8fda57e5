import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseDriverConfig } from '../../src/csi/driver-config.ts';
import { MountCommand } from '../../src/csi/mount-command.ts';
import { MountFiles } from '../../src/csi/mount-files.ts';
import { mountRequestOf, type VolumeContext } from '../../src/csi/volume.ts';
import { type Cleanup, defer, temporaryDirectory } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';

/** A mount that prints its arguments and its environment, then fails as a real one does. */
const SCRIPT = `
process.stderr.write('something\\n' + JSON.stringify({ event: 'other', args: process.argv.slice(2), env: process.env }) + '\\n');
process.stderr.write(JSON.stringify({ event: 'waiting-for-store', detail: 'StoreError: No answer.' }) + '\\n');
process.stderr.write(JSON.stringify({ level: 'fatal', event: 'failed', exitCode: 77, msg: 'Access is denied. Grant it.' }) + '\\n');
process.exit(77);
`;

async function site(t: Cleanup) {
  const directory = await temporaryDirectory(t);
  const script = join(directory, 'mount.cjs');
  writeFileSync(script, SCRIPT);
  const lines: string[] = [];
  const config = parseDriverConfig(
    `{allow: [s3://a/**], mounts: '2', state-dir: ${directory}/state, cache-dir: ${directory}/cache, hold: ${directory}/hold.sock, profiles: {p: {no-sign-request: 'true', prefetch: 1MiB}}}`,
    'csi.yaml',
  );
  const files = new MountFiles({ config, mountsDirectory: join(directory, 'mounts') });
  const unmounts: string[] = [];
  const command = (environment: NodeJS.ProcessEnv = {}): MountCommand =>
    new MountCommand({
      command: [process.execPath, script],
      environment: { PATH: process.env.PATH, ...environment },
      config,
      files,
      node: 'node 1',
      clock: { now: () => 1_000 },
      unmount: async (path) => void unmounts.push(path),
      write: (line) => lines.push(line),
    });
  const request = (context: VolumeContext) => mountRequestOf({ source: 's3://a/dags', ...context }, config);
  return { directory, lines, files, unmounts, command, request };
}

test('a mount gets what the volume asks for as arguments of its own, and its end is told by its own sentence', async (t) => {
  const { lines, command, request, directory } = await site(t);
  const asked = request({ profile: 'p', include: '--daemon,*.py', ref: 'x; rm -rf /', versions: 'true' });
  const run = async (): Promise<{ args: string[]; env: Record<string, string> }> => {
    const mount = command().start(asked);
    await assert.rejects(mount.ready, { code: 'denied', message: 'Access is denied. Grant it.' });
    await mount.ended;
    assert.equal(mount.obstacle(), 'No answer.');
    return JSON.parse(lines.at(-3) ?? '');
  };
  const { args, env } = await run();
  assert.deepEqual(args, [
    'mount',
    's3://a/dags/',
    join(directory, 'mounts', asked.key),
    '--no-sign-request',
    '--prefetch=1MiB',
    '--ref=x; rm -rf /',
    '--versions',
    '--include=--daemon',
    '--include=*.py',
    `--cache-dir=${directory}/cache/${asked.key}`,
    `--socket=${directory}/state/mounts/${asked.key}/control.sock`,
    '--log-format=json',
    '--allow-other',
    '--wait-for-store=30000ms',
  ]);
  assert.equal(lines[0], 'something\n');
  assert.equal(JSON.parse(lines.at(-1) ?? '').mountKey, asked.key);
  assert.equal(env.DAGMOUNT_HOLD, `${directory}/hold.sock`);
  assert.match(env.DAGMOUNT_HOLD_KEY ?? '', /^[0-9a-f]{64}$/);
  assert.equal(
    (await run()).env.DAGMOUNT_HOLD_KEY,
    env.DAGMOUNT_HOLD_KEY,
    'the next driver has the same key',
  );
  assert.equal(env.AWS_ROLE_ARN, undefined);
});

test('a mount of a role reads the token that kubelet sent last, and has no credentials of the driver', async (t) => {
  const { lines, files, command, request } = await site(t);
  const asked = request({
    role: 'arn:aws:iam::1:role/x',
    'csi.storage.k8s.io/pod.namespace': 'n',
    'csi.storage.k8s.io/serviceAccount.name': 's',
  });
  files.keepToken(asked.key, { token: 'first', expiresAt: 1_000 });
  files.keepToken(asked.key, { token: 'second', expiresAt: 2_000 });
  files.keepToken(asked.key, { token: 'older', expiresAt: 1_500 });
  const ofDriver = {
    AWS_ACCESS_KEY_ID: 'k',
    AWS_SECRET_ACCESS_KEY: 's',
    AWS_SESSION_TOKEN: 't',
    AWS_PROFILE: 'p',
    AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://127.0.0.1:9',
    AWS_ROLE_ARN: 'arn:aws:iam::1:role/of-the-driver',
    AWS_WEB_IDENTITY_TOKEN_FILE: '/token-of-the-driver',
    AWS_REGION: 'eu-central-1',
  };
  const { ready, ended } = command(ofDriver).start(asked);
  await assert.rejects(ready);
  await ended;
  const { env } = JSON.parse(lines.at(-3) ?? '') as { env: Record<string, string> };
  const file = env.AWS_WEB_IDENTITY_TOKEN_FILE ?? '';
  const aws = Object.fromEntries(Object.entries(env).filter(([name]) => name.startsWith('AWS_')));
  assert.deepEqual(aws, {
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_REGION: 'eu-central-1',
    AWS_ROLE_ARN: 'arn:aws:iam::1:role/x',
    AWS_ROLE_SESSION_NAME: 'dagmount-node-1',
    AWS_WEB_IDENTITY_TOKEN_FILE: file,
  });
  assert.equal(readFileSync(file, 'utf8'), 'second');
  assert.equal(statSync(file).mode & 0o777, 0o600);
});

test('a mount whose supervisor was replaced goes on, and is unmounted where there is no process to ask', async (t) => {
  const { directory, lines, files, unmounts, command, request } = await site(t);
  // Its server keeps running, and keeps its end of the pipe open.
  const server = `process.stderr.write(process.pid + '\\n'); setTimeout(() => {}, 600_000);`;
  const supervisor = `const options = { stdio: ['ignore', 'ignore', 'inherit'], detached: true };
    require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(server)}], options).unref();`;
  writeFileSync(join(directory, 'mount.cjs'), supervisor);
  const asked = request({});
  const mount = command().start(asked);
  mount.ready.catch(() => undefined);
  let hasEnded = false;
  const ended = mount.ended.then(() => {
    hasEnded = true;
  });
  const pid = Number(await waitFor('the server', () => lines[0]));
  defer(t, () => void (hasEnded || process.kill(pid, 'SIGKILL')));
  await waitFor('the unmount', () => {
    mount.stop();
    return unmounts.length > 0;
  });
  assert.deepEqual([unmounts[0], hasEnded], [files.placeOf(asked.key), false]);
  process.kill(pid, 'SIGKILL');
  await ended;
});

test('the codes of a mount that cannot start are those of kubelet', async (t) => {
  const { directory, command, request } = await site(t);
  const codes: string[] = [];
  for (const exitCode of [64, 66, 69, 70, 73, 75, 77, 78]) {
    const line = JSON.stringify({ event: 'failed', exitCode, msg: 'It failed.' });
    writeFileSync(join(directory, 'mount.cjs'), `process.stderr.write(${JSON.stringify(`${line}\n`)});`);
    const { ready } = command().start(request({}));
    await ready.catch(({ code }) => codes.push(code));
  }
  assert.deepEqual(codes, [
    'malformed',
    'no-source',
    'unavailable',
    'failed',
    'failed',
    'unavailable',
    'denied',
    'malformed',
  ]);
});

test('files of mounts that no volume uses are removed, and caches of the oldest ones beyond the bound', async (t) => {
  const { directory, files, request } = await site(t);
  const keys = ['a', 'b', 'c', 'd'].map((exclude) => request({ exclude }).key);
  keys.forEach((key, index) => {
    files.makePlace(key);
    files.openCache(key, (index + 1) * 1_000_000);
    files.keepToken(key, { token: 't', expiresAt: 1 });
    files.holdKey(key);
  });
  writeFileSync(join(directory, 'state/mounts/precious'), '');
  writeFileSync(join(directory, 'mounts/precious'), '');
  const [oldest, used, , newest] = keys as [string, string, string, string];
  files.clear(new Set([used]));
  assert.deepEqual(readdirSync(join(directory, 'mounts')).sort(), [used, 'precious'].sort());
  assert.deepEqual(readdirSync(join(directory, 'state/mounts')).sort(), [used, 'precious'].sort());
  await waitFor('the caches to be removed', () => readdirSync(join(directory, 'cache')).length === 2);
  assert.deepEqual(readdirSync(join(directory, 'cache')).sort(), [used, newest].sort());
  // The mount's directory is not empty, so its keys may still be needed.
  writeFileSync(join(files.makePlace(oldest), 'busy'), '');
  files.holdKey(oldest);
  files.forget(oldest);
  assert.ok(existsSync(join(directory, 'state/mounts', oldest)));
});
