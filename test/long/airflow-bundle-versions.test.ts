import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { type BundleAnswer, BundleProgram, type TestedBundle } from '../support/airflow/bundle-program.ts';
import { airflowPython, bundleMissing } from '../support/airflow/installation.ts';
import { type Mount, mountImpossible, startMount, statusOf } from '../support/mount.ts';
import { StoreProxy } from '../support/proxy.ts';
import { read } from '../support/reader.ts';
import { makeSigner, openRoot } from '../support/release-root.ts';
import { supervisorMissing } from '../support/supervised.ts';
import { type Cleanup, defer, temporaryDirectory } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';

const NEVER = `sha256-${'e'.repeat(64)}`;
const READ_DEADLINE = 4;
const FILE = 'team/a.py';

test('a DagmountBundle over a mount with --versions', {
  skip: mountImpossible || bundleMissing || supervisorMissing,
}, async (t) => {
  const node = await startNode(t);
  const { program, mount, proxy } = node;
  const first = await node.deploy('one');
  const current = await program.make({ mount: mount.target });

  await t.test('pins the release that is shown, until it is refreshed', async () => {
    assertShows(await current.initialize(), first, 'one', mount);
    const second = await node.deploy('two');
    assertShows(await current.tell(), first, 'one', mount);
    assertShows(await current.refresh(), second, 'two', mount);
  });

  await t.test('shows a roll-back after its refresh, and the release before again', async () => {
    await node.rollback(first);
    assertShows(await current.refresh(), first, 'one', mount);
  });

  await t.test('is the version that Airflow names', async () => {
    const named = await program.make({ mount: mount.target, version: first });
    assertShows(await named.initialize(), first, 'one', mount);
    await node.deploy('three');
    assertShows(await named.refresh(), first, 'one', mount);
    assertShows(await named.initialize(), first, 'one', mount);
  });

  await t.test('fails for an id that never was, and for text that is no id', async (t) => {
    for (const [version, code] of [
      [NEVER, 'no-such-version'],
      [`${first}x`, 'not-an-id'],
      ['../current', 'not-an-id'],
    ] as const) {
      const named = await program.make({ mount: mount.target, version });
      const { error, seconds, isInitialized } = await named.initialize();
      assert.deepEqual([error?.kind, error?.code], ['VersionUnavailable', code]);
      assert.equal(isInitialized, false);
      t.diagnostic(`${code}: after ${seconds.toFixed(2)} s`);
    }
  });

  await t.test('fails for a release that only another environment has had', async () => {
    const elsewhere = await node.deployElsewhere('of staging');
    const named = await program.make({ mount: mount.target, version: elsewhere });
    assert.equal((await named.initialize()).error?.code, 'no-such-version');
  });

  await t.test('fails where a version has no such subdir, and is below it where it has', async () => {
    const named = await program.make({ mount: mount.target, version: first, subdir: 'nothing' });
    assert.equal((await named.initialize()).error?.code, 'no-subdir-in-version');
    const below = await program.make({ mount: mount.target, version: first, subdir: 'team' });
    assert.equal((await below.initialize()).path, join(mount.target, 'versions', first, 'team'));
  });

  await t.test('keeps what it has while the store is down, and reschedules for what it has not', (t) =>
    losesItsStore(t, node, current, first),
  );

  await t.test('has a version although the server is killed while it is looked up', async () => {
    const gone = await node.deploy('four');
    const after = await node.deploy('five');
    assert.notEqual(gone, after);
    const named = await program.make({ mount: mount.target, version: gone });
    const asked = new Promise<void>((resolve) => {
      proxy.fault = ({ url }) => {
        if (!url.includes(`manifests/${gone}/production.json`)) return undefined;
        proxy.fault = undefined;
        resolve();
        return { hang: true };
      };
    });
    const looked = named.initialize();
    await asked;
    process.kill(await mount.serverPid(), 'SIGKILL');
    assertShows(await looked, gone, 'four', mount);
    assertShows(await current.refresh(), after, 'five', mount);
  });

  await t.test('keeps its release while a ref is not believed', async () => {
    const before = (await current.tell()).version;
    await node.deployUnsigned('forged');
    await waitFor('the release to be held', async () => (await statusOf(mount)).held?.reason === 'signature');
    assertShows(await current.refresh(), before, 'five', mount);
    const forged = await node.newest();
    assert.notEqual(forged, before);
    const named = await program.make({ mount: mount.target, version: forged });
    assert.equal((await named.initialize()).error?.code, 'unreadable');
    assert.equal((await named.tell()).isInitialized, false);
  });

  await t.test(
    'refuses where nothing is mounted, or another kind of mount, and goes on where it is back',
    (t) => losesItsMount(t, node, current, first),
  );
});

const MODULES = 100;
const MODULE = Array.from({ length: 200 }, (_, n) => `def f${n}(a, b): return a + b\n`).join('');

const importing = `
import importlib, os, sys, time
sys.path.insert(0, sys.argv[1])
began = time.process_time()
for number in range(${MODULES}): importlib.import_module(f"lib.m{number}")
print(round((time.process_time() - began) * 1000))
`;

test('modules of a version are compiled once where PYTHONPYCACHEPREFIX is set, and again for the next version', {
  skip: mountImpossible || bundleMissing || supervisorMissing,
}, async (t) => {
  const node = await startNode(t);
  const modules = Object.fromEntries(Array.from({ length: MODULES }, (_, n) => [`lib/m${n}.py`, MODULE]));
  const [first, second] = [await node.deploy('first', modules), await node.deploy('second', modules)];
  const prefix = await temporaryDirectory(t);
  const take = async (what: string, below: string, env: Readonly<Record<string, string>>): Promise<void> => {
    const path = join(node.mount.target, below);
    const args = ['-c', importing, path];
    const text = await read(airflowPython, args, { env: { PYTHONDONTWRITEBYTECODE: '', ...env } });
    t.diagnostic(`${MODULES} modules of ${MODULE.length} B, ${what}: ${text.trim()} ms of CPU`);
  };
  // The prefix also keeps the bytecode of Python's own modules.
  const keptOf = async (): Promise<readonly string[]> =>
    (await readdir(prefix, { recursive: true })).filter((name) => /\/lib\/m\d+\.[^/]*pyc$/.test(name));
  const kept = async (): Promise<number> => (await keptOf()).length;
  const withPrefix = { PYTHONPYCACHEPREFIX: prefix };
  // The first read of a file fetches it, so the figures leave it out.
  await take('the first read of a version', `versions/${first}`, {});
  await take('a version, nothing kept', `versions/${first}`, {});
  await take('a version, with a prefix, the first time', `versions/${first}`, withPrefix);
  assert.equal(await kept(), MODULES);
  await take('a version, with a prefix, again', `versions/${first}`, withPrefix);
  await take('the next version, with a prefix, the first time', `versions/${second}`, withPrefix);
  assert.equal(await kept(), 2 * MODULES);
  await take('the next version, with a prefix, again', `versions/${second}`, withPrefix);
  await take('the same release in current/, with a prefix, the first time', 'current', withPrefix);
  assert.equal(await kept(), 3 * MODULES);
  await node.deploy('third', modules);
  await take('the release after it in current/, with a prefix', 'current', withPrefix);
  assert.equal(await kept(), 3 * MODULES);
  const sizes = await Promise.all(
    (await keptOf()).map(async (name) => (await stat(join(prefix, name))).size),
  );
  t.diagnostic(
    `kept for each version: ${(sizes.reduce((sum, size) => sum + size, 0) / 3 / 1024).toFixed(0)} KiB`,
  );
});

async function losesItsStore(t: TestContext, node: Node, current: TestedBundle, first: string) {
  const { program, mount, proxy } = node;
  const before = await node.deploy('before');
  assertShows(await current.refresh(), before, 'before', mount);
  const unseen = await node.deploy('unseen');
  const shown = await node.deploy('shown');
  const fresh = await program.make({ mount: mount.target, max_staleness: 5 });
  assert.equal((await fresh.initialize()).error, null);
  await proxy.goDown();
  const named = await program.make({ mount: mount.target, version: unseen });
  const late = await named.initialize();
  assert.deepEqual([late.error?.kind, late.error?.code], ['MountUnavailable', 'unreadable']);
  assert.ok(late.error?.text.includes(unseen));
  assert.deepEqual(late.isInitialized, false);
  t.diagnostic(
    `a version that was never looked up, the store down: refused after ${late.seconds.toFixed(1)} s`,
  );
  const known = await program.make({ mount: mount.target, version: first, max_staleness: 1 });
  assertShows(await known.initialize(), first, 'one', mount);
  const stale = await waitFor('the mount to be too stale', async () => {
    const answer = await fresh.refresh();
    return answer.error !== null && answer;
  });
  assert.deepEqual([stale.error?.kind, stale.error?.code], ['MountUnavailable', 'stale']);
  assertShows({ ...stale, error: null }, shown, 'shown', mount);
  assertShows(await current.refresh(), shown, 'shown', mount);
  await proxy.comeUp();
  assertShows(await named.initialize(), unseen, 'unseen', mount);
  await waitFor('the mount to be fresh', async () => (await fresh.refresh()).error === null);
}

async function losesItsMount(t: TestContext, node: Node, current: TestedBundle, first: string) {
  const { program, mount } = node;
  const version = await node.deploy('signed');
  assertShows(await current.refresh(), version, 'signed', mount);
  const refused = async (bundle: TestedBundle, call: 'refresh' | 'initialize', code: string) => {
    const { error, path } = await bundle[call]();
    assert.deepEqual([error?.kind, error?.code], ['MountUnavailable', code], error?.text);
    t.diagnostic(String(error?.text));
    return path;
  };
  const named = await program.make({ mount: mount.target, version: first });
  await mount.stop();
  assert.equal(
    await refused(current, 'refresh', 'not-mounted'),
    join(mount.target, 'versions', version ?? ''),
  );
  await refused(named, 'initialize', 'not-mounted');

  const tree = await node.mountAgain({ versions: false });
  await refused(current, 'refresh', 'changed-layout');
  const { error } = await named.initialize();
  assert.deepEqual([error?.kind, error?.code], ['VersionUnavailable', 'no-versions']);
  tree.kill('SIGKILL');
  await tree.exit;
  await refused(current, 'refresh', 'server-gone');
  await refused(named, 'initialize', 'server-gone');
  await promisify(execFile)('umount', ['-l', mount.target]);

  const again = await node.mountAgain({ versions: true });
  assertShows(await current.refresh(), version, 'signed', again);
  assertShows(await named.initialize(), first, 'one', again);
}

/** Asserts that the bundle answers with this release, and that a read through its path gives the release's file. */
function assertShows(answer: BundleAnswer, release: string | null, text: string, { target }: Mount): void {
  assert.deepEqual(
    { error: answer.error, version: answer.version, path: answer.path, text: answer.text },
    { error: null, version: release, path: join(target, 'versions', release ?? ''), text },
  );
  assert.equal(answer.supportsVersioning, true);
}

type Node = Awaited<ReturnType<typeof startNode>>;

/** A mount that trusts one signer, and a function that deploys to it with that signer. */
async function startNode(t: Cleanup) {
  const root = await openRoot(t);
  const proxy = await StoreProxy.start({ upstream: root.seaweedfs.endpoint });
  defer(t, () => proxy.close());
  const { flags, signers } = await makeSigner(t);
  await root.deploy({ [FILE]: 'zero' }, { flags });
  const options = {
    source: root.address,
    env: root.seaweedfs.readerEnvironment,
    args: ['--endpoint-url', proxy.endpoint, '--ref', 'production', '--allowed-signers', signers].concat(
      ['--poll-interval', '1s', '--read-deadline', `${READ_DEADLINE}s`],
      ['--state-dir', await temporaryDirectory(t)],
    ),
  };
  const mount = await startMount(t, { ...options, args: [...options.args, '--versions'] });
  const program = await BundleProgram.start(t, FILE);
  const isShown = (id: string) =>
    waitFor(`${id} to be shown`, async () => (await statusOf(mount)).release?.id === id);
  return {
    program,
    proxy,
    mount,
    newest: () => root.newest(),
    /** Resolves with the release's id, once the node shows it. */
    deploy: async (text: string, others: Readonly<Record<string, string>> = {}): Promise<string> => {
      await root.deploy({ ...others, [FILE]: text }, { flags });
      const id = await root.newest();
      await isShown(id);
      return id;
    },
    rollback: async (to: string): Promise<void> => {
      await root.command('rollback', 'production', '-m', 'back', '--to', to, ...flags);
      await isShown(to);
    },
    deployElsewhere: async (text: string): Promise<string> => {
      await root.deploy({ [FILE]: text }, { environment: 'staging', flags });
      return root.newest('staging');
    },
    deployUnsigned: async (text: string): Promise<void> => {
      await root.deploy({ [FILE]: text });
    },
    mountAgain: ({ versions }: { readonly versions: boolean }): Promise<Mount> =>
      startMount(t, {
        ...options,
        args: versions ? [...options.args, '--versions'] : options.args,
        target: mount.target,
        cacheDirectory: mount.cacheDirectory,
      }),
  };
}
