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

/** How the files of a release come from a deployer to Airflow. */
export interface Way {
  /** Of its bundle, and in the ids of its DAGs. */
  readonly name: 'dagmount' | 'synced' | 's3';
  readonly bundle: Bundle;
  /** Ends when the deployer has ended. */
  deploy(release: string): Promise<void>;
  /** The deployer dies when half of it is done. */
  deployHalf(release: string): Promise<void>;
}

/** DAG files of each way that tell their release, besides the one whose runs are watched. */
const PROBES = 5;
/** Between two files, where files are written one by one. */
const GAP_MS = 200;

export const runsDag = (way: Pick<Way, 'name'>): string => `runs_${way.name}`;
export const steadyDag = (way: Pick<Way, 'name'>): string => `steady_${way.name}`;
/** The DAGs whose description is the release of their file, a slash, and that of the module that they import. */
export const tellingDags = (way: Pick<Way, 'name'>): readonly string[] => [
  runsDag(way),
  ...Array.from({ length: PROBES }, (_, number) => `probe_${way.name}_${number}`),
];
export const allDags = (way: Pick<Way, 'name'>): readonly string[] => [...tellingDags(way), steadyDag(way)];

/** The tree of a release, the files of DAGs first. */
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

/** What replaces one file at a time, in the order of the tree: what is half done is all DAG files and no module. */
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

/** A directory of the local disk into which a loop copies, each file by a rename. */
export async function bySync(t: Cleanup): Promise<Way> {
  const path = await temporaryDirectory(t);
  return oneByOne('synced', { name: 'synced', path }, async (name, text) => {
    const file = join(path, name);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(`${file}.new`, text);
    await rename(`${file}.new`, file);
  });
}

/** A prefix of a bucket, which the bundle of the provider of Amazon downloads at each refresh. */
export async function byBucket(seaweedfs: Seaweedfs): Promise<Way> {
  const bucket = await seaweedfs.createBucket();
  return oneByOne('s3', { name: 's3', path: `${bucket}/dags`, kind: 's3' }, (path, text) =>
    seaweedfs.put(bucket, `dags/${path}`, text),
  );
}

/** Signed releases, shown by a mount with versions. */
export interface ByRelease extends Way {
  readonly seaweedfs: Seaweedfs;
  /** Between the mount and the store. */
  readonly proxy: StoreProxy;
  /** The one of now. */
  mount(): Mount;
  /** Of a release that was deployed; undefined for an id that was not. */
  releaseOf(id: string): string | undefined;
  idOf(release: string): string;
  rollback(to: string): Promise<void>;
  deployUnsigned(release: string): Promise<void>;
  /** Waits until the node shows it. */
  isShown(release: string): Promise<void>;
  /** The same source at the same place, with another cache, which is empty. */
  mountAgain(): Promise<void>;
}

/** The first release is deployed and mounted. */
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
    // Half of the default. A task that is due again before the scheduler has noticed its end fails: 5 s were too short for that.
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

/** Kills the deployer at the write of the ref, when all else is written. */
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
