import { type Mount, type MountOptions, startMount } from '../support/mount.ts';
import { startSeaweedfs } from '../support/seaweedfs.ts';
import type { Cleanup } from '../support/temporary.ts';
import { defer } from '../support/temporary.ts';

export type Objects = ReadonlyMap<string, string | Uint8Array>;

/** A bucket of this test's own in the shared store. */
export interface Store {
  readonly endpoint: string;
  readonly bucket: string;
  /** What the daemon gets: list and get, no more. */
  readonly env: Readonly<Record<string, string>>;
  put(key: string, body: string | Uint8Array): Promise<string>;
  putAll(objects: Objects, below?: string): Promise<void>;
  delete(key: string): Promise<void>;
  /** From now on what is overwritten or deleted can be had by its version id. */
  keepVersions(): Promise<void>;
}

export async function openStore(
  test: Cleanup,
  objects: Objects = new Map(),
  below = 'dags/',
): Promise<Store> {
  const seaweedfs = await startSeaweedfs();
  defer(test, () => seaweedfs.stop());
  const bucket = await seaweedfs.createBucket();
  const store: Store = {
    endpoint: seaweedfs.endpoint,
    bucket,
    env: seaweedfs.readerEnvironment,
    put: (key, body) => seaweedfs.put(bucket, key, body),
    putAll: async (many, prefix = 'dags/') => {
      await seaweedfs.putAll(
        bucket,
        [...many].map(([path, body]) => [prefix + path, body] as const),
      );
    },
    delete: (key) => seaweedfs.delete(bucket, key),
    keepVersions: () => seaweedfs.s3.enableVersioning(bucket),
  };
  await store.putAll(objects, below);
  return store;
}

/** Mounts dags/ of the store; polls each second unless told otherwise. */
export async function mountStore(
  test: Cleanup,
  store: Pick<Store, 'endpoint' | 'bucket' | 'env'>,
  options: Partial<MountOptions> = {},
): Promise<Mount> {
  return await startMount(test, {
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
}

/** `count` files of `bytes` in directories of a hundred, each with bytes of its own. */
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
