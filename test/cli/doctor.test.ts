import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Host } from '../../src/cli/doctor/host.ts';
import { exitCodes } from '../../src/cli/exit-codes.ts';
import type { ServerPort } from '../../src/server/server-port.ts';
import { environment } from '../config/host-environment.ts';
import { examined, host } from './examined-host.ts';
import { fakeServer } from './recorded-shell.ts';
import { TypedError } from './typed-error.ts';

describe('doctor', () => {
  test('says that all is well, a line a check', async () => {
    const { exitCode, out } = await examined([]);
    assert.equal(exitCode, 0, out);
    const [heading, ...lines] = out.trimEnd().split('\n');
    assert.equal(heading, 'This host');
    assert.deepEqual(
      lines.map((line) => line.split(/ +/).slice(0, 2)),
      [
        'node',
        'kernel',
        '/dev/fuse',
        'mounting',
        'addon',
        'driver',
        'takeover',
        'cache',
        'runtime',
        'timeouts',
        'network',
      ].map((name) => ['✓', name]),
    );
  });

  test('looks at the directory of what was seen where an environment is named, and goes on without it', async () => {
    const args = ['--ref', 'production', '--state-dir', '/srv/state'];
    assert.match((await examined(args)).out, /^✓ state +\/srv\/state$/m);
    const closed = await examined(
      args,
      host({ tryAccess: (_, how) => (how === 'write' ? 'EROFS' : undefined) }),
    );
    assert.match(closed.out, /state +\/srv\/state cannot be made \(EROFS: \/\).*\n.*--state-dir/);
    const open = { path: '/srv', reason: 'can be written by everybody', flaw: 'mode' } as const;
    const unsafe = await examined(
      args,
      host({ unsafeAncestor: (path) => (path.startsWith('/srv/state') ? open : undefined) }),
    );
    assert.match(unsafe.out, /✗ state +\/srv\/state could be replaced by others/);
    assert.equal(unsafe.exitCode, exitCodes.cannotCreate);
    assert.doesNotMatch((await examined([])).out, / state /);
  });

  const bad: readonly (readonly [
    string,
    Partial<Host> & { files?: Record<string, string> },
    number,
    RegExp,
  ])[] = [
    [
      'an old Node.js',
      { nodeVersion: '18.20.1' },
      exitCodes.osError,
      /✗ node .*\n +Install Node\.js 20\.19\.0/,
    ],
    ['another kernel', { platform: 'freebsd' }, exitCodes.osError, /✗ kernel/],
    ['no /dev/fuse', { tryOpen: () => 'ENOENT' }, exitCodes.osError, /✗ \/dev\/fuse .*\n +.*modprobe fuse/],
    [
      'a /dev/fuse that it may not open',
      { tryOpen: () => 'EPERM' },
      exitCodes.osError,
      /✗ \/dev\/fuse .*EPERM/,
    ],
    [
      'no fusermount3',
      { tryAccess: (path) => (/fusermount3?$/.test(path) ? 'ENOENT' : undefined) },
      exitCodes.osError,
      /✗ mounting .*\n +.*apt-get install fuse3/,
    ],
    [
      'a cache that cannot be written',
      { tryAccess: (path) => (path === '/home/airflow' ? 'EROFS' : undefined) },
      exitCodes.cannotCreate,
      /✗ cache .*EROFS.*\n +.*--cache-dir/,
    ],
    [
      'a cache that others could replace',
      {
        unsafeAncestor: (path) =>
          path.endsWith('/v1')
            ? { path: '/x', reason: 'can be written by everybody', flaw: 'mode' }
            : undefined,
      },
      exitCodes.cannotCreate,
      /✗ cache .*replaced by others: \/x can be written.*\n +.*chmod/,
    ],
    [
      'a runtime directory that others could replace',
      {
        unsafeAncestor: (path) =>
          path.endsWith('/v1')
            ? undefined
            : { path: '/x', reason: 'belongs to another user (uid 7)', flaw: 'owner' },
      },
      exitCodes.cannotCreate,
      /✗ runtime .*replaced by others: \/x belongs.*\n +.*XDG_RUNTIME_DIR/,
    ],
    [
      "another's runtime directory",
      {
        ownerAndMode: (path) => ({
          uid: path === '/tmp/dagmount-1000' ? 7 : 1000,
          mode: 0o755,
          isDirectory: true,
        }),
      },
      exitCodes.cannotCreate,
      /✗ runtime .*\n +.*XDG_RUNTIME_DIR/,
    ],
  ];
  for (const [what, changes, exitCode, words] of bad) {
    test(`finds ${what}, says what to do and exits with ${exitCode}`, async () => {
      const result = await examined([], host(changes));
      assert.match(result.out, words);
      assert.equal(result.exitCode, exitCode);
    });
  }

  test('leaves opening /dev/fuse to fusermount3 where this user may not', async () => {
    const { exitCode, out } = await examined([], host({ tryOpen: () => 'EACCES' }));
    assert.equal(exitCode, 0);
    assert.match(out, /✓ \/dev\/fuse +is opened by fusermount3/);
    const asRoot = { environment: environment({ uid: 0 }) };
    const { out: root } = await examined([], host({ tryOpen: () => 'EACCES' }), asRoot);
    assert.match(root, /✗ \/dev\/fuse/);
  });

  const noAddon = new TypedError('no-addon', 'It could not be loaded.', 'Run npm rebuild dagmount.');
  const noLibrary = new TypedError('no-fuse-native', 'libfuse.so.2 is missing.', 'apt-get install libfuse2.');
  const drivers: readonly (readonly [
    string,
    Awaited<ReturnType<ServerPort['checkDrivers']>>,
    number,
    RegExp,
  ])[] = [
    [
      'an addon that does not load, where there is no other driver',
      {
        used: undefined,
        kernel: { error: noAddon },
        fuseNative: { error: noLibrary },
        driverLimitations: [],
      },
      exitCodes.osError,
      /✗ addon .*loaded\.\n +Run npm rebuild dagmount\.\n✗ driver +libfuse.so.2 is missing\.\n +apt-get install libfuse2/,
    ],
    [
      'that fuse-native would be used, and what it does not keep',
      {
        used: 'fuse-native',
        kernel: { error: noAddon },
        fuseNative: undefined,
        driverLimitations: ['1: maps', '6: restarts'],
      },
      0,
      /! addon .*\n.*\n! driver +fuse-native, .*1: maps; 6: restarts; kernel cannot be used: It could not be loaded\.\n +Run npm rebuild/,
    ],
    [
      'that kernel would be used, and what fuse-native lacks',
      { used: 'kernel', kernel: { file: 'a.node' }, fuseNative: { error: noLibrary }, driverLimitations: [] },
      0,
      /✓ addon +a\.node\n✓ driver +kernel; fuse-native could not: libfuse.so.2 is missing\. apt-get install libfuse2/,
    ],
    [
      'that the driver which was asked for cannot be used',
      { used: undefined, kernel: {}, fuseNative: { error: noLibrary }, driverLimitations: [] },
      exitCodes.osError,
      /✗ driver +libfuse.so.2 is missing\.\n +apt-get install libfuse2/,
    ],
  ];
  for (const [what, check, code, words] of drivers) {
    test(`finds ${what}`, async () => {
      const server = fakeServer({ checkDrivers: async () => check });
      const { exitCode, out } = await examined([], host(), { loadServer: async () => server });
      assert.match(out, words);
      assert.equal(exitCode, code);
    });
  }

  test('on macOS says that it is untested, and what is to be installed', async () => {
    const { out } = await examined([], host({ platform: 'darwin', ownerAndMode: () => undefined }));
    assert.match(out, /! kernel +macOS: .*untested here.*\n +On Apple silicon/);
    assert.match(out, /✗ macFUSE +is not installed\n +Install macFUSE/);
  });

  test('exits with the code of the first check that fails', async () => {
    const { exitCode } = await examined([], host({ tryOpen: () => 'ENOENT', tryAccess: () => 'EACCES' }));
    assert.equal(exitCode, exitCodes.osError);
  });

  test('doubts timeouts of the kernel, a small disk, and a mount for one user alone, and exits with 0', async () => {
    const { exitCode, out } = await examined(
      [],
      host({
        files: { '/proc/sys/fs/fuse/max_request_timeout': '30\n', '/etc/fuse.conf': '#user_allow_other\n' },
        freeBytes: () => 2 ** 20,
      }),
    );
    assert.equal(exitCode, 0);
    assert.match(out, /! timeouts .*max_request_timeout = 30.*\n +.*sysctl fs\.fuse\.max_request_timeout=0/);
    assert.match(out, /! cache .*1\.0 MiB free.*\n +.*--cache-size/);
    assert.match(out, /! mounting .*\n +.*user_allow_other/);
  });

  test('refuses --allow-other where the host does', async () => {
    const on = host({ files: { '/etc/fuse.conf': '' } });
    assert.equal((await examined(['--allow-other'], on)).exitCode, exitCodes.osError);
  });

  test('says that fusermount3 refuses a user without a name', async () => {
    const { exitCode, out } = await examined([], host({ hasUserEntry: () => false }));
    assert.equal(exitCode, 0);
    assert.match(
      out,
      /! mounting +by \S+fusermount3, which refuses a user without a name, and uid 1000 .*\n +.*\/etc\/passwd/,
    );
  });

  test('as root asks for the capability and not for fusermount3', async () => {
    const asRoot = { environment: environment({ uid: 0 }) };
    const tryAccess = (path: string) => (path.endsWith('fusermount3') ? 'ENOENT' : undefined);
    const root = { ownerAndMode: () => ({ uid: 0, mode: 0o755, isDirectory: true }), tryAccess };
    assert.equal((await examined([], host(root), asRoot)).exitCode, 0);
    const status = { '/proc/self/status': 'CapEff:\t00000000a80425fb\n' };
    const { exitCode, out } = await examined([], host({ ...root, files: status }), asRoot);
    assert.equal(exitCode, exitCodes.osError);
    assert.match(out, /✗ mounting .*\n +.*--cap-add SYS_ADMIN/);
  });

  test('shows what of the environment decides how the store is reached, without passwords', async () => {
    const env = {
      PATH: '/usr/bin',
      HTTPS_PROXY: 'http://me:secret@proxy:3128',
      NO_PROXY: 'localhost',
      http_proxy: 'me:secret@proxy',
      AWS_CA_BUNDLE: '/etc/ca.pem',
      AWS_SECRET_ACCESS_KEY: 'secret',
    };
    const { out } = await examined([], host(), { environment: environment({ env }) });
    assert.match(out, /HTTPS_PROXY=http:\/\/\*\*\*@proxy:3128/);
    assert.match(out, /NO_PROXY=localhost/);
    assert.match(out, /AWS_CA_BUNDLE=\/etc\/ca\.pem/);
    assert.doesNotMatch(out, /secret/);
  });
});
