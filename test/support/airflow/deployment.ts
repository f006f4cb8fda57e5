import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Child } from '../child.ts';
import { type Mount, type MountOptions, startMount } from '../mount.ts';
import { type Starvation, watchStarvation } from '../processes.ts';
import { StoreProxy } from '../proxy.ts';
import { startSeaweedfs } from '../seaweedfs.ts';
import { type Cleanup, defer, temporaryDirectory } from '../temporary.ts';
import { waitFor } from '../wait-for.ts';
import { type Airflow, type Bundle, openAirflow } from './airflow.ts';
import { dagFolder } from './dags.ts';

export interface DeploymentOptions {
  /** Arguments of `dagmount mount`, besides the endpoint. */
  readonly mountArgs?: readonly string[];
  readonly mount?: Partial<MountOptions>;
  /** AIRFLOW__SECTION__KEY variables of Airflow. */
  readonly settings?: Readonly<Record<string, string>>;
  /** How Airflow reads the mount. */
  readonly bundle?: Bundle['kind'];
  /** Whether a second bucket with the same files is the standby source. The mount reaches it past the proxy. */
  readonly hasStandby?: boolean;
}

/** A bucket, a mount of it behind a proxy that can fail, and an Airflow whose DAGs folder is the mount. */
export interface Deployment {
  readonly proxy: StoreProxy;
  readonly mount: Mount;
  readonly airflow: Airflow;
  readonly processor: Child;
  /** The processor's waits for a CPU. */
  readonly starvation: Starvation;
  /** The first content of the bucket. */
  readonly folder: ReadonlyMap<string, Buffer>;
  /** A directory on the local disk, which the same processor parses too, for comparison with the mount. */
  readonly local: LocalDirectory;
  put(path: string, body: string | Uint8Array): Promise<void>;
  delete(path: string): Promise<void>;
  /** Puts a file into the bucket of the standby source. */
  putToStandby(path: string, body: string | Uint8Array): Promise<void>;
  /** After the mount has ended, mounts the same source again at the same place, with the same cache. */
  mountAgain(): Promise<Mount>;
}

export interface LocalDirectory {
  readonly path: string;
  /** Replaces a file atomically, by a rename. */
  put(path: string, body: string): Promise<void>;
}

/** Returns as soon as the processor runs; the audit records what the processor finds. */
export async function deploy(test: Cleanup, options: DeploymentOptions = {}): Promise<Deployment> {
  const seaweedfs = await startSeaweedfs();
  defer(test, () => seaweedfs.stop());
  const folder = await dagFolder(test);
  const filledBucket = async (): Promise<string> => {
    const name = await seaweedfs.createBucket();
    await seaweedfs.putAll(
      name,
      [...folder].map(([path, body]) => [`dags/${path}`, body] as const),
    );
    return name;
  };
  const bucket = await filledBucket();
  const standby = options.hasStandby === true ? await filledBucket() : undefined;
  const proxy = await StoreProxy.start({ upstream: seaweedfs.endpoint });
  defer(test, () => proxy.close());
  const mountOptions: MountOptions = {
    source: `s3://${bucket}/dags`,
    ...options.mount,
    env: { ...seaweedfs.readerEnvironment, ...options.mount?.env },
    args: [
      ...['--endpoint-url', proxy.endpoint, ...(options.mountArgs ?? [])],
      ...(standby === undefined
        ? []
        : ['--standby-source', `s3://${standby}/dags`, '--standby-endpoint-url', seaweedfs.endpoint]),
    ],
  };
  const mount = await startMount(test, mountOptions);
  const local = localDirectory(await temporaryDirectory(test));
  const airflow = await openAirflow(test, {
    bundles: [
      { name: 'dags-folder', path: mount.target, kind: options.bundle ?? 'folder' },
      { name: 'local-directory', path: local.path },
    ],
    settings: options.settings ?? {},
  });
  const processor = airflow.start('dag-processor');
  const starvation = watchStarvation(processor.pid);
  defer(test, () => starvation.stop());
  return {
    proxy,
    mount,
    airflow,
    folder,
    local,
    processor,
    starvation,
    put: async (path, body) => {
      await seaweedfs.put(bucket, `dags/${path}`, body);
    },
    delete: (path) => seaweedfs.delete(bucket, `dags/${path}`),
    putToStandby: async (path, body) => {
      if (standby === undefined) throw new Error('there is no standby source');
      await seaweedfs.put(standby, `dags/${path}`, body);
    },
    mountAgain: () =>
      startMount(test, { ...mountOptions, target: mount.target, cacheDirectory: mount.cacheDirectory }),
  };
}

function localDirectory(path: string): LocalDirectory {
  return {
    path,
    put: async (name, body) => {
      const file = join(path, name);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(`${file}.new`, body);
      await rename(`${file}.new`, file);
    },
  };
}

/** Waits; throws early, with the processor's output, if the processor has ended. */
export async function waitForAirflow<T>(
  deployment: Deployment,
  what: string,
  ask: () => Promise<T | undefined | false>,
  deadlineMs = 300_000,
): Promise<T> {
  const { process, stdout, stderr } = deployment.processor;
  return await waitFor(
    what,
    () => {
      if (process.exitCode !== null || process.signalCode !== null) {
        throw new Error(
          `the DAG processor ended (${process.exitCode ?? process.signalCode}): ${`${stdout()}${stderr()}`.slice(-4_000)}`,
        );
      }
      return ask();
    },
    deadlineMs,
    100,
  ).catch(async (error: unknown) => {
    throw new Error(`${String(error)}\n${await circumstances(deployment)}`, { cause: error });
  });
}

/** Facts for the error message of a wait that failed. */
async function circumstances({ mount, airflow, processor }: Deployment): Promise<string> {
  const newest = await airflow.database.rows(
    `SELECT round((julianday('now') - 2440587.5) * 86400.0 - at, 1) AS secondsAgo, kind, subject, detail FROM dagmount_audit
       WHERE kind NOT IN ('heartbeat', 'refresh') OR at > (SELECT max(at) - 3 FROM dagmount_audit) ORDER BY id DESC LIMIT 100`,
  );
  return [
    'the latest of the audit, the newest first:',
    ...newest.map((row) => JSON.stringify(row)),
    `the mount's log: ${mount.stderr().slice(-4_000)}`,
    `the processor's: ${`${processor.stdout()}${processor.stderr()}`.slice(-4_000)}`,
  ].join('\n');
}
