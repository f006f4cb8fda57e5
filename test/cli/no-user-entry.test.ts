import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { cli } from '../support/mount.ts';
import { temporaryDirectory } from '../support/temporary.ts';

/** A uid that no host gives to a user. */
const UID = 2_000_054_321;

const mounting = new URL('../../src/session/kernel/mounting.js', import.meta.url).href;

const skip = process.getuid?.() === 0 ? false : 'only root can become a uid without an entry';

describe('a uid without an entry, and without HOME', () => {
  const cases: readonly (readonly [args: readonly string[], exitCode: number, says: RegExp])[] = [
    [['version'], 0, /^dagmount|^\d/],
    [['help'], 0, /mount/],
    [['help', 'mount'], 0, /--cache-dir/],
    [['completion', 'bash'], 0, /COMP_WORDS/],
    [['list'], 0, /./],
    [['status'], 69, /No dagmount of this user runs/],
    [['unmount', 'DIRECTORY'], 66, /Nothing is mounted/],
    [['mount', 's3://b', 'DIRECTORY', '--print-config'], 0, /^cache-dir: \/tmp\/dagmount-cache-2000054321 /m],
    [['mount', 's3://b', 'DIRECTORY', '--print-config', '--profile', 'x'], 0, /^profile: x/m],
    [['mount', 's3://b', 'DIRECTORY/missing'], 66, /missing/],
    [['doctor'], -1, /uid 2000054321|fusermount3|\/dev\/fuse/],
    [
      ['doctor', 's3://b', '--endpoint-url', 'http://127.0.0.1:1', '--no-sign-request'],
      -1,
      /list .*ECONNREFUSED/,
    ],
    [
      ['doctor', 's3://b', '--endpoint-url', 'http://127.0.0.1:1'],
      -1,
      /credentials +No credentials were found/,
    ],
  ];
  for (const [args, exitCode, says] of cases) {
    test(`runs ${args.join(' ')}, or says what is wrong`, { skip }, async (t) => {
      assert.doesNotMatch(readFileSync('/etc/passwd', 'utf8'), new RegExp(`:${UID}:`));
      const directory = join(await temporaryDirectory(t), 'mine');
      mkdirSync(directory);
      chownSync(directory, UID, UID);
      chmodSync(join(directory, '..'), 0o711);
      const { status, stdout, stderr } = spawnSync(
        process.execPath,
        [cli, ...args.map((arg) => arg.replace('DIRECTORY', directory))],
        {
          uid: UID,
          gid: UID,
          cwd: directory,
          encoding: 'utf8',
          timeout: 60_000,
          env: { PATH: process.env.PATH, XDG_RUNTIME_DIR: directory, AWS_EC2_METADATA_DISABLED: 'true' },
        },
      );
      const said = stdout + stderr;
      if (exitCode >= 0) assert.equal(status, exitCode, said);
      else assert.ok(status !== null && [0, 66, 69, 71, 73, 77].includes(status), `${status}: ${said}`);
      assert.match(said, says);
      assert.doesNotMatch(said, /^\s+at |Internal error|SystemError|uv_os/m);
    });
  }

  const noDevice = existsSync('/dev/fuse') ? skip : 'there is no /dev/fuse';
  test('is told what fusermount3 wants, when that refuses it', { skip: noDevice }, async (t) => {
    const directory = await temporaryDirectory(t);
    chmodSync(directory, 0o711);
    const program = join(directory, 'fusermount3');
    writeFileSync(program, '#!/bin/sh\necho "fusermount3: could not determine username" >&2\nexit 1\n', {
      mode: 0o755,
    });
    const script = `
      import { openSync } from 'node:fs';
      import { createMounter } from ${JSON.stringify(mounting)};
      const addon = { socketPair: () => [openSync('/dev/null', 'r'), openSync('/dev/null', 'r')] };
      const mounter = createMounter(addon);
      for (const action of [
        () => mounter.mount({ target: '/mnt', source: 's3://b', allowOther: false, replacesStale: false }),
        () => mounter.unmount('/mnt', false),
      ]) {
        try { action(); } catch (error) { console.log(error.message, error.hint); }
      }`;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      uid: UID,
      gid: UID,
      cwd: '/',
      encoding: 'utf8',
      timeout: 60_000,
      env: { PATH: directory },
    });
    const lines = stdout.trim().split('\n');
    assert.equal(lines.length, 2, stdout + stderr);
    for (const line of lines)
      assert.match(line, /could not determine username.*uid 2000054321 has none.*\/etc\/passwd/);
  });
});
