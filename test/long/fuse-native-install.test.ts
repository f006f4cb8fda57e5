import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { fuseNativeImpossible } from '../support/driver.ts';
import { MemoryS3 } from '../support/memory-s3.ts';
import { cleanEnvironment, mountImpossible } from '../support/mount.ts';
import { repository } from '../support/repository.ts';
import {
  type Cleanup,
  defer,
  makeTemporaryDirectory,
  removeTemporaryDirectory,
} from '../support/temporary.ts';

const run = promisify(execFile);
const notRoot = process.geteuid?.() === 0 ? false : 'a mount namespace needs root';

/** In a mount namespace, removes every file of libfuse 2, or makes it unusable if there is no overlayfs. */
const hide = `
for file in $(ldconfig -p | sed -n 's/.*libfuse\\.so\\.2.* => //p'); do
  directory=$(dirname "$(readlink -f "$file")")
  upper=$(mktemp -d /dev/shm/dagmount-test-hidden-XXXXXX) && mount -t tmpfs tmpfs "$upper" && mkdir "$upper/up" "$upper/work"
  if mount -t overlay overlay -o "lowerdir=$directory,upperdir=$upper/up,workdir=$upper/work" "$directory" 2>/dev/null; then
    rm -f "$directory"/libfuse.so.2*
  else
    mount --bind /dev/null "$(readlink -f "$file")"
  fi
done`;

/** Installs the package, runs doctor, and mounts; prints the output and exit code of each. */
const visit = `
export HOME="$1/home" npm_config_cache="$npm_config_cache"; mkdir -p "$1/home" "$1/dags" "$1/prefix"
say() { name=$1; shift; output=$("$@" 2>&1); echo "== $name $?"; echo "$output"; }
say install npm install --global --prefix "$1/prefix" --prefer-offline --no-audit --no-fund --loglevel=error "$2"
dagmount="$1/prefix/bin/dagmount"
say doctor "$dagmount" doctor --cache-dir "$1/cache"
say doctor-asked "$dagmount" doctor --cache-dir "$1/cache" --driver fuse-native
say mount "$dagmount" mount s3://memory/dags "$1/dags" --endpoint-url "$3" --cache-dir "$1/cache" --driver fuse-native --daemon
say cat cat "$1/dags/a.py"
say unmount "$dagmount" unmount "$1/dags"
exit 0`;

interface Step {
  readonly code: number;
  readonly output: string;
}

describe('the packed package where libfuse.so.2 is', {
  skip: mountImpossible || notRoot || fuseNativeImpossible,
  timeout: 900_000,
}, () => {
  let directory: string;
  let tarball: string;
  before(async () => {
    directory = await makeTemporaryDirectory();
    await run('npm', ['pack', '--pack-destination', directory, '--loglevel=error'], { cwd: repository });
    const [name] = (await readdir(directory)).filter((each) => each.endsWith('.tgz'));
    assert.ok(name, 'npm pack made a tarball');
    tarball = join(directory, name);
  });
  after(() => removeTemporaryDirectory(directory));

  async function visited(t: Cleanup, name: string, before: string): Promise<ReadonlyMap<string, Step>> {
    const store = await MemoryS3.start();
    defer(t, () => store.close());
    store.put('dags/a.py', 'print(1)\n');
    const own = join(directory, name);
    await mkdir(own);
    const { stdout: npmCache } = await run('npm', ['config', 'get', 'cache']);
    const env = {
      ...cleanEnvironment({ AWS_ACCESS_KEY_ID: 'any', AWS_SECRET_ACCESS_KEY: 'any' }),
      npm_config_cache: npmCache.trim(),
    };
    const script = `mount --make-rprivate /\n${before}\n${visit}`;
    const { stdout } = await run('unshare', ['-m', 'sh', '-c', script, 'sh', own, tarball, store.endpoint], {
      env,
      timeout: 600_000,
      maxBuffer: 2 ** 24,
    });
    const steps = new Map<string, Step>();
    for (const part of stdout.split(/^== /m).slice(1)) {
      const [, step = '', code = '', output = ''] = /^(\S+) (\d+)\n([\s\S]*)$/.exec(part) ?? [];
      steps.set(step, { code: Number(code), output });
    }
    return steps;
  }

  function shown(t: { diagnostic(message: string): void }, steps: ReadonlyMap<string, Step>): void {
    for (const [name, { code, output }] of steps) {
      const lines = output.trim().split('\n');
      const told = name.startsWith('doctor') ? lines.filter((line) => /driver|addon|^ /.test(line)) : lines;
      t.diagnostic(`${name} (${code}): ${told.join('\n    ')}`);
    }
  }

  test('installs, mounts and unmounts, and doctor says that both drivers can be used', async (t) => {
    const steps = await visited(t, 'there', '');
    shown(t, steps);
    const codes = [...steps].map(([name, { code }]) => `${name} ${code}`);
    assert.deepEqual(codes, ['install 0', 'doctor 0', 'doctor-asked 0', 'mount 0', 'cat 0', 'unmount 0']);
    assert.match(steps.get('doctor')?.output ?? '', /✓ driver +kernel; fuse-native could be used too/);
    assert.match(
      steps.get('doctor-asked')?.output ?? '',
      /! driver +fuse-native, which keeps these promises in part: 1: /,
    );
    assert.equal(steps.get('cat')?.output.trim(), 'print(1)');
  });

  test('hidden, installs all the same, and says at doctor and mount what to install', async (t) => {
    const steps = await visited(t, 'hidden', hide);
    shown(t, steps);
    const codes = [...steps].map(([name, { code }]) => `${name} ${code}`);
    assert.deepEqual(codes, ['install 0', 'doctor 0', 'doctor-asked 71', 'mount 71', 'cat 1', 'unmount 66']);
    for (const name of ['doctor', 'doctor-asked', 'mount']) {
      const { output = '' } = steps.get(name) ?? {};
      assert.match(output, /fuse-native could not be loaded \(/, name);
      assert.match(output, /Debian and Ubuntu: apt-get install libfuse2/, name);
      assert.match(output, /Fedora: dnf install fuse-libs; Alpine: apk add fuse/, name);
    }
    assert.match(steps.get('doctor')?.output ?? '', /✓ driver +kernel; fuse-native could not/);
  });
});
