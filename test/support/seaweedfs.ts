import { randomBytes } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startChild } from './child.ts';
import { freePorts } from './free-ports.ts';
import { repository } from './repository.ts';
import { type S3Access, TestS3 } from './s3.ts';
import { makeTemporaryDirectory } from './temporary.ts';
import { waitFor } from './wait-for.ts';

/** The users of the store that the tests start. */
export const identities = {
  admin: { accessKeyId: 'DAGMOUNTADMIN', secretAccessKey: 'admin-secret' },
  /** s3:ListBucket and s3:GetObject: all that the daemon may need. */
  reader: { accessKeyId: 'DAGMOUNTREADER', secretAccessKey: 'reader-secret' },
  /** The store knows this user, and allows it nothing in the buckets of the tests. */
  stranger: { accessKeyId: 'DAGMOUNTSTRANGER', secretAccessKey: 'stranger-secret' },
} as const;

const actions: Readonly<Record<keyof typeof identities, readonly string[]>> = {
  admin: ['Admin', 'Read', 'Write', 'List', 'Tagging'],
  reader: ['Read', 'List'],
  stranger: ['Read:a-bucket-of-others', 'List:a-bucket-of-others'],
};

export interface Seaweedfs extends S3Access {
  readonly s3: TestS3;
  /** Makes a bucket; without a name, one with a name that no other test uses. */
  createBucket(name?: string): Promise<string>;
  put(bucket: string, key: string, body: Uint8Array | string): Promise<string>;
  putAll(bucket: string, objects: Iterable<readonly [key: string, body: Uint8Array | string]>): Promise<void>;
  delete(bucket: string, key: string): Promise<void>;
  /** The environment of a daemon that may only list and get. */
  readonly readerEnvironment: { readonly AWS_ACCESS_KEY_ID: string; readonly AWS_SECRET_ACCESS_KEY: string };
  /** Resolves with the server's last output if it ends without `stop`; never for a shared server. */
  readonly died: Promise<string>;
  /** Ends the server if this call started it; a shared one keeps running. */
  stop(): Promise<void>;
}

export interface SeaweedfsOptions {
  /** Start a server even if scripts/test shares one through DAGMOUNT_TEST_S3: for tests that stop it. */
  readonly own?: boolean;
}

/** The server's binary; undefined if scripts/test has not installed it. */
export function seaweedfsBinary(): string | undefined {
  const path = process.env.DAGMOUNT_TEST_WEED ?? join(repository, '.tools/python/bin/weed');
  return existsSync(path) ? path : undefined;
}

export async function startSeaweedfs(options: SeaweedfsOptions = {}): Promise<Seaweedfs> {
  const shared = process.env.DAGMOUNT_TEST_S3;
  if (shared !== undefined && options.own !== true) {
    return client(shared, new Promise(() => undefined), async () => undefined);
  }
  const binary = seaweedfsBinary();
  if (binary === undefined) throw new Error('no .tools/python/bin/weed: scripts/test installs it');
  // Another process may take a free port before the server binds it.
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start(binary);
    } catch (error) {
      if (attempt === 3) throw error;
      await delay(200);
    }
  }
}

async function start(binary: string): Promise<Seaweedfs> {
  const directory = await makeTemporaryDirectory();
  const data = join(directory, 'data');
  await mkdir(data);
  await writeFile(join(directory, 's3.json'), JSON.stringify({ identities: identityList() }));
  // The server begins with one volume a bucket instead of seven.
  await writeFile(join(directory, 'master.toml'), '[master.volume_growth]\ncopy_1 = 1\n');
  const base = await freePorts(8);
  const port = (offset: number): string => String(base + offset);
  const server = startChild(
    binary,
    [
      `-logdir=${directory}`,
      'server',
      `-dir=${data}`,
      '-ip=127.0.0.1',
      '-ip.bind=127.0.0.1',
      `-master.port=${port(0)}`,
      `-master.port.grpc=${port(1)}`,
      `-volume.port=${port(2)}`,
      `-volume.port.grpc=${port(3)}`,
      `-filer.port=${port(4)}`,
      `-filer.port.grpc=${port(5)}`,
      '-s3',
      `-s3.port=${port(6)}`,
      `-s3.port.grpc=${port(7)}`,
      '-s3.port.iceberg=0',
      '-s3.port.lance=0',
      `-s3.config=${join(directory, 's3.json')}`,
      '-master.telemetry=false',
      // Each bucket is a collection with its own volumes: with the defaults, each bucket after the first few fails with
      // InternalError.
      '-volume.max=2000',
      '-master.volumeSizeLimitMB=256',
    ],
    { cwd: directory },
  );
  const sockets = ['filer', 's3', 'filer-grpc', 's3-grpc', 'master-grpc', 'volume-grpc'].flatMap((kind) =>
    Array.from({ length: 8 }, (_, index) => `/tmp/seaweedfs-${kind}-${base + index}.sock`),
  );
  const clear = (): void => {
    for (const path of [...sockets, directory]) rmSync(path, { recursive: true, force: true });
  };
  // SIGTERM takes 15 s, and leaves the same files: the server's sockets under /tmp, named by port.
  let stopping = false;
  const stop = async (): Promise<void> => {
    stopping = true;
    process.removeListener('exit', killNow);
    server.kill('SIGKILL');
    await server.exit;
    clear();
  };
  const killNow = (): void => {
    server.kill('SIGKILL');
    clear();
  };
  process.once('exit', killNow);
  try {
    const died = new Promise<string>((resolve) => {
      const tell = (exit: unknown): void => {
        if (!stopping) resolve(`${JSON.stringify(exit)} ${server.stderr().slice(-2_000)}`);
      };
      server.exit.then(tell, tell);
    });
    const seaweedfs = client(`http://127.0.0.1:${port(6)}`, died, stop);
    await waitUntilItStores(seaweedfs, server.exit);
    return seaweedfs;
  } catch (error) {
    await stop();
    throw new Error(`SeaweedFS did not start: ${server.stderr().slice(-2_000)}`, { cause: error });
  }
}

/** The S3 port opens before the filer serves: the server is ready when a PUT has succeeded. */
async function waitUntilItStores(seaweedfs: Seaweedfs, exit: Promise<unknown>): Promise<void> {
  let ended = false;
  const end = (): void => {
    ended = true;
  };
  exit.then(end, end);
  let last = '';
  const ready = async (): Promise<boolean> => {
    if (ended) throw new Error('it exited');
    try {
      await seaweedfs.s3.send('PUT', 'ready');
      const answer = await seaweedfs.s3.send('PUT', 'ready/ready', {}, 'ready');
      last = `${answer.status} ${answer.body}`;
      return answer.status === 200;
    } catch (error) {
      last = String(error);
      return false;
    }
  };
  await waitFor('a PUT to succeed', ready, 60_000, 100).catch((error: unknown) => {
    throw new Error(`the last answer was ${last}`, { cause: error });
  });
}

function identityList(): readonly object[] {
  return (Object.keys(identities) as (keyof typeof identities)[]).map((name) => ({
    name,
    credentials: [{ accessKey: identities[name].accessKeyId, secretKey: identities[name].secretAccessKey }],
    actions: actions[name],
  }));
}

function client(endpoint: string, died: Promise<string>, stop: () => Promise<void>): Seaweedfs {
  const s3 = new TestS3({ endpoint, ...identities.admin });
  return {
    endpoint,
    ...identities.admin,
    s3,
    died,
    createBucket: async (name = `dags-${randomBytes(6).toString('hex')}`) => {
      await s3.createBucket(name);
      return name;
    },
    put: (bucket, key, body) => s3.put(bucket, key, body),
    putAll: (bucket, objects) => s3.putAll(bucket, objects),
    delete: (bucket, key) => s3.delete(bucket, key),
    readerEnvironment: {
      AWS_ACCESS_KEY_ID: identities.reader.accessKeyId,
      AWS_SECRET_ACCESS_KEY: identities.reader.secretAccessKey,
    },
    stop: async () => {
      await s3.close();
      await stop();
    },
  };
}
