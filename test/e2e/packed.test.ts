import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, cp, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { startChild } from '../support/child.ts';
import { cleanEnvironment, mountImpossible } from '../support/mount.ts';
import { shell } from '../support/reader.ts';
import { repository } from '../support/repository.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../support/temporary.ts';
import { mountStore, openStore } from './fixture.ts';

const run = promisify(execFile);

/** This Node.js, and those that scripts/test fetched. */
const nodes = [...new Set([process.execPath, ...(process.env.DAGMOUNT_TEST_NODES ?? '').split(' ')])].filter(
  (node) => node !== '',
);

/** The package.json of a package itself, not of a folder inside one. */
const PACKAGE_FILE = /(?:^|node_modules\/)(?:@[^/]+\/)?[^/]+\/package\.json$/;

/** Unpacks what npm would install: the package and its required dependencies, in the versions installed here. */
async function unpack(tarball: string, installed: string): Promise<void> {
  await mkdir(installed, { recursive: true });
  await run('tar', ['-xzf', tarball, '-C', installed, '--strip-components=1']);
  const flags = ['--omit=dev', '--omit=optional', '--all', '--parseable', '--loglevel=error'];
  const { stdout } = await run('npm', ['ls', ...flags], { cwd: repository });
  for (const path of stdout.split('\n').filter((line) => line.includes('node_modules'))) {
    await cp(path, join(installed, relative(repository, path)), { recursive: true });
  }
}

interface InstalledPackage {
  readonly name: string;
  readonly version: string;
  /** Relative to the outermost node_modules. */
  readonly path: string;
}

async function packagesBelow(outermost: string): Promise<readonly InstalledPackage[]> {
  const files = (await readdir(outermost, { recursive: true })).filter((path) => PACKAGE_FILE.test(path));
  return Promise.all(
    files.map(async (path) => {
      const { name, version } = JSON.parse(await readFile(join(outermost, path), 'utf8')) as InstalledPackage;
      return { name, version, path };
    }),
  );
}

/** The client of queues, an optional dependency. */
const QUEUES = '@aws-sdk/client-sqs';

interface LockedPackage {
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** A package and all packages that it needs, as folders below the repository. */
async function neededBy(name: string): Promise<readonly string[]> {
  const lock = JSON.parse(await readFile(join(repository, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, LockedPackage>>;
  };
  const found = new Set<string>();
  const add = (dependency: string, of: string): void => {
    for (let above = of; ; above = above.slice(0, Math.max(0, above.lastIndexOf('/node_modules/')))) {
      const path = `${above === '' ? '' : `${above}/`}node_modules/${dependency}`;
      const there = lock.packages[path];
      if (there !== undefined && !found.has(path)) {
        found.add(path);
        for (const next of Object.keys(there.dependencies ?? {})) add(next, path);
      }
      if (there !== undefined || above === '') return;
    }
  };
  add(name, '');
  return [...found];
}

/** The folders of the packages that only the client of queues needs. */
async function neededByQueues(): Promise<readonly string[]> {
  const manifest = JSON.parse(await readFile(join(repository, 'package.json'), 'utf8')) as {
    readonly dependencies: Readonly<Record<string, string>>;
    readonly optionalDependencies: Readonly<Record<string, string>>;
  };
  const names = Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies });
  const others = names.filter((name) => name !== QUEUES).map(neededBy);
  const needed = new Set((await Promise.all(others)).flat());
  return (await neededBy(QUEUES)).filter((path) => !needed.has(path));
}

async function mebibytesOf(paths: readonly string[]): Promise<number> {
  const args = ['-s', '-c', '--block-size=1', '--exclude=*/node_modules', ...paths];
  const { stdout } = await run('du', args, { cwd: repository });
  return Number.parseInt(/^(\d+)\ttotal$/m.exec(stdout)?.[1] ?? '', 10) / 2 ** 20;
}

describe('the packed package, installed with scripts turned off', () => {
  let directory: string;
  let installed: string;
  let withoutRegistry: string | undefined;
  before(async () => {
    directory = await makeTemporaryDirectory();
    await chmod(directory, 0o755);
    const prefix = join(directory, 'prefix');
    await mkdir(prefix);
    await run('npm', ['pack', '--pack-destination', directory, '--loglevel=error'], { cwd: repository });
    const [tarball] = (await readdir(directory)).filter((name) => name.endsWith('.tgz'));
    assert.ok(tarball, 'npm pack made a tarball');
    const flags = [
      '--ignore-scripts',
      '--omit=optional',
      '--prefer-offline',
      '--fetch-retries=0',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
    ];
    installed = join(prefix, 'lib/node_modules/dagmount');
    const npm = ['install', '--global', '--prefix', prefix, ...flags, join(directory, tarball)];
    // npm asks the registry about each dependency, and waits long for a registry that it cannot reach.
    await run('npm', npm, { timeout: 60_000, killSignal: 'SIGKILL' }).catch(async (error: Error) => {
      withoutRegistry = `installed from this repository's node_modules, since npm could not: ${error.message.slice(0, 400)}`;
      await rm(prefix, { recursive: true, force: true });
      await unpack(join(directory, tarball), installed);
    });
  });
  after(() => removeTemporaryDirectory(directory));

  test('holds what it needs and nothing of the tests', async (t) => {
    if (withoutRegistry !== undefined) t.diagnostic(withoutRegistry);
    const files = (await readdir(installed)).filter((name) => name !== 'node_modules').sort();
    for (const name of ['dist', 'package.json', 'prebuilds'])
      assert.ok(files.includes(name), files.join(' '));
    assert.deepEqual(await readdir(join(installed, 'dist')), ['bundle']);
    const manifest = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8')) as {
      version: string;
    };
    assert.match(manifest.version, /^\d+\.\d+\.\d+/);
    await assert.rejects(readdir(join(installed, 'build')), 'no addon was compiled');
  });

  test('holds one version of each package, and no more than 40 MiB, or 60 with the client of queues', async (t) => {
    const packages = await packagesBelow(join(installed, 'node_modules'));
    const twice = packages.filter(({ name, path }) =>
      packages.some((other) => other.name === name && other.path !== path),
    );
    assert.deepEqual(
      twice,
      [],
      'a package that a range of another one does not allow is installed once more',
    );
    const { stdout } = await run('du', ['-s', '--block-size=1', installed]);
    const installedMebibytes = Number.parseInt(stdout, 10) / 2 ** 20;
    // npm applies --omit=optional in a project, but not with --global.
    const queues = await mebibytesOf(await neededByQueues());
    const hasQueues = packages.some(({ name }) => name === QUEUES);
    const without = hasQueues ? installedMebibytes - queues : installedMebibytes;
    const sizes = `${without.toFixed(1)} MiB on disk, and ${queues.toFixed(1)} MiB for ${QUEUES}; ${packages.length + 1} packages`;
    t.diagnostic(sizes);
    assert.ok(queues > 1 && without > 1, sizes);
    assert.ok(without <= 40 && without + queues <= 60, sizes);
  });

  for (const node of nodes) {
    test(`mounts, shows and unmounts under ${node}`, { skip: mountImpossible }, async (t) => {
      const entry = join(installed, 'dist/bundle/cli/main.js');
      for (const args of [['version'], ['--version'], ['help'], ['help', 'mount'], ['--help']]) {
        const child = startChild(node, [entry, ...args], { env: cleanEnvironment() });
        assert.equal((await child.exit).code, 0, `${args.join(' ')}: ${child.stderr()}`);
        assert.notEqual(child.stdout().trim(), '', args.join(' '));
        assert.equal(child.stderr(), '', args.join(' '));
      }
      const { stdout: version } = await run(node, ['--version']);
      t.diagnostic(version.trim());
      const store = await openStore(
        t,
        new Map([
          ['a.py', 'a'],
          ['pkg/b.py', 'b'],
        ]),
      );
      const mount = await mountStore(t, store, { node, cli: entry });
      assert.equal(await shell(mount.target, 'find . -type f | sort | xargs cat'), 'ab');
      assert.equal((await mount.stop()).code, 0, mount.stderr());
    });
  }
});
