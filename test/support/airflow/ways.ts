import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startChild } from '../child.ts';
import { cleanEnvironment, cli, type Mount, type MountOptions, startMount, statusOf } from '../mount.ts';
import { StoreProxy } from '../proxy.ts';
import { makeSigner, openRoot } from '../release-root.ts';
import { repository } from '../repository.ts';
import type { Seaweedfs } from '../seaweedfs.ts';
import { type Cleanup, defer, temporaryDirectory } from '../temporary.ts';
import { waitFor } from '../wait-for.ts';
import { writeTree } from '../write-tree.ts';
import type { Bundle } from './airflow.ts';
import { filesBelow } from './dags.ts';

/** How a deployer brings the files of a release to Airflow. */
export interface Way {
  /** The name of the way's bundle; the ids of its DAGs contain it. */
  readonly name: 'dagmount' | 'synced' | 's3';
  readonly bundle: Bundle;
  /** Resolves when the deployer has ended. */
  deploy(release: string): Promise<void>;
  /** The deployer dies after half of the deploy. */
  deployHalf(release: string): Promise<void>;
}

/** DAG files of each way that name their release, besides the one whose runs the test watches. */
const PROBES = 5;
/** The pause between two files, for ways that write file by file. */
const GAP_MS = 200;

export const runsDag = (way: Pick<Way, 'name'>): string => `runs_${way.name}`;
export const steadyDag = (way: Pick<Way, 'name'>): string => `steady_${way.name}`;
/** The DAGs whose description is the release of their file, a slash, and the release of the module that they import. */
export const tellingDags = (way: Pick<Way, 'name'>): readonly string[] => [
  runsDag(way),
  ...Array.from({ length: PROBES }, (_, number) => `probe_${way.name}_${number}`),
];
export const allDags = (way: Pick<Way, 'name'>): readonly string[] => [...tellingDags(way), steadyDag(way)];

/** The tree of a release, with the DAG files first. */
export async function releaseFiles(way: Way['name'], release: string): Promise<Map<string, string>> {
  const templates = await filesBelow(join(repository, 'test/support/airflow/runs'));
  const files = new Map<string, string>();
  const add = (path: string, text: string): void => {
    files.set(
      path.replaceAll('BUNDLE', way),
      text.replaceAll('BUNDLE', way).replaceAll('"000"', `"${release}"`),
    );
  };
  const isDag = (path: string): boolean => !path.includes('/');
  for (const [path, bytes] of [...templates].sort(
    ([one], [other]) => Number(isDag(other)) - Number(isDag(one)),
  )) {
    const text = bytes.toString();
    for (let number = 0; number < (path.includes('NUMBER') ? PROBES : 1); number++)
      add(path.replaceAll('NUMBER', String(number)), text.replaceAll('NUMBER', String(number)));
  }
  return files;
}

/** A way that replaces one file at a time, in the order of the tree. Half a deploy is all DAG files and no module. */
function oneByOne(
  name: 'synced' | 's3',
  bundle: Bundle,
  put: (path: string, text: string) => Promise<unknown>,
): Way {
  const before = new Map<string, string>();
  const deploy = async (release: string, isIncluded: (path: string) => boolean): Promise<void> => {
    for (const [path, text] of await releaseFiles(name, release)) {
      if (before.get(path) === text || !isIncluded(path)) continue;
      if (before.has(path)) await delay(GAP_MS);
      before.set(path, text);
      await put(path, text);
    }
  };
  return {
    name,
    bundle,
    deploy: (release) => deploy(release, () => true),
    deployHalf: (release) => deploy(release, (path) => !path.includes('/')),
  };
}

/** A directory on the local disk; a loop copies each file into it by a rename. */
export async function bySync(t: Cleanup): Promise<Way> {
  const path = await temporaryDirectory(t);
  return oneByOne('synced', { name: 'synced', path }, async (name, text) => {
    const file = join(path, name);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(`${file}.new`, text);
    await rename(`${file}.new`, file);
  });
}

/** A prefix of a bucket; the bundle of Amazon's provider downloads it at each refresh. */
export async function byBucket(seaweedfs: Seaweedfs): Promise<Way> {
  const bucket = await seaweedfs.createBucket();
  return oneByOne('s3', { name: 's3', path: `${bucket}/dags`, kind: 's3' }, (path, text) =>
    seaweedfs.put(bucket, `dags/${path}`, text),
  );
}

/** Signed releases, which a mount with versions shows. */
export interface ByRelease extends Way {
  readonly seaweedfs: Seaweedfs;
  /** The proxy between the mount and the store. */
  readonly proxy: StoreProxy;
  /** The present mount. */
  mount(): Mount;
  /** The release with this id; undefined if this way has not deployed it. */
  releaseOf(id: string): string | undefined;
  idOf(release: string): string;
  rollback(to: string): Promise<void>;
  deployUnsigned(release: string): Promise<void>;
  /** Waits until the node shows the release. */
  isShown(release: string): Promise<void>;
  /** Mounts the same source at the same place, with another cache, which is empty. */
  mountAgain(): Promise<void>;
}

/** Deploys and mounts the first release. */
export async function byRelease(t: Cleanup, first: string, mountArgs: readonly string[]): Promise<ByRelease> {
  const root = await openRoot(t);
  const { flags, signers } = await makeSigner(t);
  const proxy = await StoreProxy.start({ upstream: root.seaweedfs.endpoint });
  defer(t, () => proxy.close());
  const ids = new Map<string, string>();
  const deploy = async (release: string, signature = flags): Promise<void> => {
    await root.deploy(Object.fromEntries(await releaseFiles('dagmount', release)), { flags: signature });
    ids.set(release, await root.newest());
  };
  await deploy(first);
  const options: MountOptions = {
    source: root.address,
    env: root.seaweedfs.readerEnvironment,
    standby: true,
    args: [
      '--endpoint-url',
      proxy.endpoint,
      ...['--ref', 'production', '--versions', '--allowed-signers', signers],
      ...['--state-dir', await temporaryDirectory(t)],
      ...mountArgs,
    ],
  };
  let mount = await startMount(t, options);
  const { target } = mount;
  return {
    name: 'dagmount',
    // Half of the default; 5 s were too short: a task that is due again before the scheduler noticed its end fails.
    bundle: { name: 'dagmount', path: target, kind: 'dagmount', kwargs: { retry_after: 30 } },
    seaweedfs: root.seaweedfs,
    proxy,
    mount: () => mount,
    releaseOf: (id) => [...ids].find(([, each]) => each === id)?.[0],
    idOf: (release) => ids.get(release) ?? '',
    deploy,
    deployHalf: async (release) => {
      const directory = join(await temporaryDirectory(t), 'dags');
      writeTree(directory, await releaseFiles('dagmount', release));
      await cutOff(t, root.seaweedfs, ['deploy', directory, 'production', '--to', root.address, ...flags]);
    },
    rollback: async (to) => {
      await root.command('rollback', 'production', '-m', 'back', '--to', ids.get(to) ?? '', ...flags);
    },
    deployUnsigned: (release) => deploy(release, []),
    isShown: async (release) => {
      const id = ids.get(release);
      await waitFor(`${release} to be shown`, async () => (await statusOf(mount)).release?.id === id);
    },
    mountAgain: async () => {
      mount = await startMount(t, { ...options, target });
    },
  };
}

/** Kills the deployer when it writes the ref, after all other writes. */
async function cutOff(t: Cleanup, seaweedfs: Seaweedfs, args: readonly string[]): Promise<void> {
  const proxy = await StoreProxy.start({ upstream: seaweedfs.endpoint });
  defer(t, () => proxy.close());
  let isThere = false;
  proxy.fault = ({ kind, url }) => {
    if (kind !== 'PUT' || !url.includes('/refs/')) return undefined;
    isThere = true;
    return { hang: true };
  };
  const { accessKeyId, secretAccessKey } = seaweedfs.s3.access;
  const env = cleanEnvironment({ AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey });
  const flags = ['-m', 'a message', '--no-check', '--allow-deletions', '--endpoint-url', proxy.endpoint];
  const child = startChild(process.execPath, [cli, ...args, ...flags], { env });
  let said: unknown;
  child.exit.then((exit) => (said = exit));
  await waitFor('the deployer to write the ref', () => {
    if (said !== undefined) throw new Error(`the deployer ended: ${JSON.stringify(said)} ${child.stderr()}`);
    return isThere;
  });
  child.kill('SIGKILL');
  await child.exit;
}
