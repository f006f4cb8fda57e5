import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type Child, startChild } from '../support/child.ts';
import { MemoryS3, type MemoryS3Options } from '../support/memory-s3.ts';
import { cleanEnvironment, cli } from '../support/mount.ts';
import { type Cleanup, defer, temporaryDirectory } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';
import { writeTree } from '../support/write-tree.ts';

const NOBODY = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups'];

async function siteOf(t: Cleanup, options: MemoryS3Options = {}) {
  const store = await MemoryS3.start({ writes: 'conditional', ...options });
  defer(t, () => store.close());
  const folder = await temporaryDirectory(t);
  const start = (args: readonly string[], as: readonly string[] = []): Child => {
    const [program, ...rest] = [...as, process.execPath, cli, ...args];
    const env = cleanEnvironment({
      AWS_ACCESS_KEY_ID: 'k',
      AWS_SECRET_ACCESS_KEY: 's',
      AWS_ENDPOINT_URL: store.endpoint,
      DAGMOUNT_TO: 's3://bucket/releases',
      HOME: '/nonexistent',
      USER: 'zoe',
    });
    return startChild(program!, rest, { env, cwd: folder });
  };
  const run = async (args: readonly string[], as?: readonly string[]) => {
    const child = start(args, as);
    return { code: (await child.exit).code, out: child.stdout(), err: child.stderr() };
  };
  return { store, folder, start, run };
}

/** Why another user cannot run the command here, for a test's `skip`. */
function nobodyImpossible(): string | false {
  if (process.getuid?.() !== 0) return 'needs root, to become another user';
  const seen = spawnSync(NOBODY[0]!, [...NOBODY.slice(1), 'test', '-r', cli]);
  return seen.status === 0 ? false : 'another user cannot read this repository, or there is no setpriv';
}

describe('the process of a deploy', () => {
  test('that is killed in the midst of a pack leaves what was shown, and the next deploy goes on from there', async (t) => {
    let met: ((key: string) => Promise<void> | undefined) | undefined;
    const fault = async ({ method, key }: { readonly method: string; readonly key: string }) => {
      if (method === 'PUT') await met?.(key);
      return undefined;
    };
    const { store, folder, start, run } = await siteOf(t, { fault });
    const dags = join(folder, 'dags');
    writeTree(dags, { 'a.py': 'first' });
    assert.equal((await run(['deploy', dags, 'production', '-m', 'first'])).code, 0);
    const before = store.keys();

    // More bytes than the connection buffers before the store reads on.
    writeTree(dags, { 'a.py': 'second', 'large.bin': randomBytes(30 * 1024 * 1024) });
    let asked: string | undefined;
    let letGo = (): void => undefined;
    met = (key) => {
      if (!key.includes('packs/')) return undefined;
      asked = key;
      return new Promise((resolve) => {
        letGo = resolve;
      });
    };
    const killed = start(['deploy', dags, 'production', '-m', 'second']);
    await waitFor('the pack to be on its way', () => asked !== undefined);
    killed.kill('SIGKILL');
    assert.equal((await killed.exit).signal, 'SIGKILL');
    letGo();
    met = undefined;
    assert.deepEqual(
      store.keys().filter((key) => !before.includes(key)),
      [],
    );

    const next = await run(['deploy', dags, 'production', '-m', 'second']);
    assert.equal(next.code, 0, next.err);
    assert.match(next.out, /^production step 2 /);
    const verified = await run(['release', 'verify', 'production']);
    assert.equal(verified.code, 0, verified.out + verified.err);
    assert.match(verified.out, /^2 files/);
  });

  test('that cannot write its result, as promotions and roll-backs, says that the step is in force, and ends with 73', {
    skip: statSync('/dev/full', { throwIfNoEntry: false }) === undefined ? 'there is no /dev/full' : false,
  }, async (t) => {
    const { folder, run } = await siteOf(t);
    const dags = join(folder, 'dags');
    const full = ['sh', '-c', 'exec "$@" > /dev/full', 'sh'];
    const inForce = async (args: readonly string[], step: string): Promise<void> => {
      const { code, err } = await run(args, full);
      assert.equal(code, 73, err);
      assert.match(err, /The output could not be written \(ENOSPC\)\. Step/);
      assert.ok(err.includes(`Step ${step} is in force all the same: sha256-`), err);
    };
    writeTree(dags, { 'a.py': 'x = 1' });
    await inForce(['deploy', dags, 'production'], '1 of production');
    await inForce(['deploy', dags, 'production', '--json'], '1 of production');
    await inForce(['promote', 'production', 'staging'], '1 of staging');
    writeTree(dags, { 'a.py': 'x = 2' });
    await inForce(['deploy', dags, 'production', '--json'], '2 of production');
    await inForce(['rollback', 'production'], '3 of production');
    writeTree(dags, { 'a.py': 'x = 3' });
    const { code, err } = await run(['deploy', dags, 'production', '--dry-run'], full);
    assert.equal(code, 73);
    assert.doesNotMatch(err, /in force/);
    const { out } = await run(['releases', 'production', '--json']);
    assert.equal(out.match(/"seq"/g)?.length, 5, 'two of the steps name the one before');
  });

  test('of a user without a home and without rights deploys what that user may read, and names what not', {
    skip: nobodyImpossible(),
  }, async (t) => {
    const { store, folder, run } = await siteOf(t);
    const dags = join(folder, 'dags');
    writeTree(dags, { 'a.py': 'x = 1\n', 'secret.py': 'y = 2\n', 'closed/b.py': '' });
    for (const path of [folder, dags, join(dags, 'closed')]) chmodSync(path, 0o755);
    const as = (...args: readonly string[]) => run(args, NOBODY);
    chmodSync(join(dags, 'secret.py'), 0o600);
    const file = await as('deploy', dags, 'production');
    assert.equal(file.code, 65, file.err);
    assert.match(file.err, /secret\.py.*EACCES/);
    chmodSync(join(dags, 'secret.py'), 0o644);
    chmodSync(join(dags, 'closed'), 0o700);
    const directory = await as('deploy', dags, 'production');
    assert.equal(directory.code, 65, directory.err);
    assert.match(directory.err, /closed.*EACCES/);
    const below = await as('deploy', join(dags, 'closed/b.py'), 'production');
    assert.equal(below.code, 65, below.err);
    assert.match(below.err, /closed\/b\.py.*EACCES/);
    mkdirSync(join(folder, 'elsewhere'), { mode: 0o700 });
    symlinkSync(join(folder, 'elsewhere'), join(dags, 'link'));
    const link = await as('deploy', dags, 'production', '--exclude', 'closed/');
    assert.equal(link.code, 65, link.err);
    assert.match(link.err, /link: it is a symbolic link/);
    assert.ok(!store.keys().some((key) => key.includes('refs/')));
    const deployed = await as('deploy', dags, 'production', '--exclude', 'closed/', '--exclude', 'link');
    assert.equal(deployed.code, 0, deployed.err);
    assert.match(deployed.out, /^production step 1 /);
    assert.equal((await as('release', 'export', 'production', join(folder, 'out'))).code, 73);
  });
});
