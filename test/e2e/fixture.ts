import { join } from 'node:path';
import { DeployedObjects, ENVIRONMENT } from '../support/deployed-objects.ts';
import { type Mount, type MountOptions, startMount, statusOf } from '../support/mount.ts';
import { shell } from '../support/reader.ts';
import { type Seaweedfs, startSeaweedfs } from '../support/seaweedfs.ts';
import { isReleased, testedShape, testsSuccessor, treeAt } from '../support/shape.ts';
import { type Cleanup, defer, temporaryDirectory } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';

export type Objects = ReadonlyMap<string, string | Uint8Array>;

/** A bucket of this test's own in the shared store. A mount of it shows what the test writes below dags/. */
export interface Store {
  readonly endpoint: string;
  readonly bucket: string;
  /** The environment of the daemon: credentials that may only list and get, and the settings of the tested shape. */
  readonly env: Readonly<Record<string, string>>;
  /** The files below dags/, if the test writes releases. */
  readonly released: DeployedObjects | undefined;
  put(key: string, body: string | Uint8Array): Promise<string>;
  putAll(objects: Objects, below?: string): Promise<void>;
  delete(key: string): Promise<void>;
  /** Makes all that `write` writes one release, if the test writes releases. */
  together(write: () => Promise<void>): Promise<void>;
  /** From now on the store keeps what is overwritten or deleted, by its version id. */
  keepVersions(): Promise<void>;
}

/** The mount shows the keys below this prefix. */
const BELOW = 'dags/';

export async function openStore(test: Cleanup, objects: Objects = new Map(), below = BELOW): Promise<Store> {
  const seaweedfs = await startSeaweedfs();
  defer(test, () => seaweedfs.stop());
  const bucket = await seaweedfs.createBucket();
  const store = isReleased ? await releases(test, seaweedfs, bucket) : plainObjects(seaweedfs, bucket);
  await store.putAll(objects, below);
  return store;
}

function plainObjects(seaweedfs: Seaweedfs, bucket: string): Store {
  return {
    endpoint: seaweedfs.endpoint,
    bucket,
    env: seaweedfs.readerEnvironment,
    released: undefined,
    put: (key, body) => seaweedfs.put(bucket, key, body),
    putAll: async (many, prefix = BELOW) => {
      await seaweedfs.putAll(
        bucket,
        [...many].map(([path, body]) => [prefix + path, body] as const),
      );
    },
    delete: (key) => seaweedfs.delete(bucket, key),
    together: (write) => write(),
    keepVersions: () => seaweedfs.s3.enableVersioning(bucket),
  };
}

/** Takes the same keys; those below dags/ become files of releases, and dags/ is the release root. */
async function releases(test: Cleanup, seaweedfs: Seaweedfs, bucket: string): Promise<Store> {
  const plain = plainObjects(seaweedfs, bucket);
  const released = await DeployedObjects.open(test, seaweedfs, bucket, BELOW);
  const pathOf = (key: string): string | undefined =>
    key.startsWith(BELOW) ? key.slice(BELOW.length) : undefined;
  return {
    ...plain,
    released,
    env: {
      ...plain.env,
      DAGMOUNT_REF: ENVIRONMENT,
      DAGMOUNT_VERSIONS: 'true',
      DAGMOUNT_STATE_DIR: await temporaryDirectory(test),
    },
    put: async (key, body) => {
      const path = pathOf(key);
      if (path === undefined) return await plain.put(key, body);
      await released.put(path, body);
      return '';
    },
    putAll: async (many, prefix = BELOW) => {
      const keys = [...many].map(([path, body]) => [prefix + path, body] as const);
      await plain.putAll(new Map(keys.filter(([key]) => pathOf(key) === undefined)), '');
      await released.putAll(
        keys.flatMap(([key, body]) => {
          const path = pathOf(key);
          return path === undefined ? [] : [[path, body] as const];
        }),
      );
    },
    delete: async (key) => {
      const path = pathOf(key);
      await (path === undefined ? plain.delete(key) : released.delete(path));
    },
    together: (write) => released.together(write),
  };
}

/** Mounts dags/ of the store; polls each second unless the options say otherwise. */
export async function mountStore(
  test: Cleanup,
  store: Pick<Store, 'endpoint' | 'bucket' | 'env'>,
  options: Partial<MountOptions> = {},
): Promise<Mount> {
  const started = await startMount(test, {
    source: `s3://${store.bucket}/dags`,
    ...options,
    env: { ...store.env, ...options.env },
    args: [
      '--endpoint-url',
      store.endpoint,
      '--poll-interval',
      '1s',
      '--settle',
      '0',
      // The store shares the processor with all of the tests.
      '--wait-for-store',
      '60s',
      ...(options.args ?? []),
    ],
  });
  const mount = { ...started, tree: await treeOf(started) };
  if (testsSuccessor && options.until === undefined) await succeed(mount);
  return mount;
}

/** The directory of the tested tree. This looks a version up, so that the mount shows it before the test begins. */
async function treeOf(mount: Mount): Promise<string> {
  if (testedShape !== 'version') return treeAt(mount.target);
  // The mount exists some milliseconds before status has its release.
  const { id } = await waitFor(
    'the release in status',
    async () => (await statusOf(mount)).release ?? undefined,
  );
  const tree = join(mount.target, 'versions', id);
  await shell(tree, 'stat .');
  return tree;
}

/** Kills the server, and waits until its successor is ready. */
async function succeed(mount: Mount): Promise<void> {
  const first = await mount.serverPid();
  process.kill(first, 'SIGKILL');
  await waitFor('a successor', async () => {
    try {
      const { pid, ready } = await statusOf(mount);
      return pid !== first && ready;
    } catch {
      return false;
    }
  });
}

/** `count` files of `bytes` bytes each, a hundred to a directory, with different content. */
export function manyFiles(count: number, bytes: number): Map<string, string> {
  const files = new Map<string, string>();
  for (let index = 0; index < count; index += 1) {
    const path = `team_${padded(Math.floor(index / 100), 4)}/dag_${padded(index, 6)}.py`;
    const line = `# ${path}\n`;
    files.set(path, line.repeat(Math.ceil(bytes / line.length)).slice(0, bytes));
  }
  return files;
}

export function padded(number: number, digits: number): string {
  return String(number).padStart(digits, '0');
}
