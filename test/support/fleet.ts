import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Commanded, dagmount, type Mount, startMount, statusOf } from './mount.ts';
import { StoreProxy } from './proxy.ts';
import { type Reader, startPython } from './reader.ts';
import { startSeaweedfs } from './seaweedfs.ts';
import { type Cleanup, defer, temporaryDirectory } from './temporary.ts';
import { waitFor } from './wait-for.ts';
import { writeTree } from './write-tree.ts';

export type Files = readonly (readonly [path: string, text: string])[];

/** A mount of the environment, and the proxy for its requests to the store. */
export interface Node {
  readonly mount: Mount;
  readonly proxy: StoreProxy;
}

/** Mounts of one environment of a release root, and the commands that write to the root. */
export interface Fleet {
  readonly nodes: readonly Node[];
  /** Runs a command at the root; the command must succeed. */
  command(...args: readonly string[]): Promise<Commanded>;
  /** Deploys these files as the whole tree. */
  deploy(files: Files, ...flags: readonly string[]): Promise<void>;
  /** Deletes all objects below a key of the root. */
  remove(below: string): Promise<void>;
}

/** Deploys the first files, and makes so many mounts of them. */
export async function startFleet(test: Cleanup, mounts: number, first: Files): Promise<Fleet> {
  const seaweedfs = await startSeaweedfs();
  defer(test, () => seaweedfs.stop());
  const bucket = await seaweedfs.createBucket();
  const address = `s3://${bucket}/releases`;
  const checkout = join(await temporaryDirectory(test), 'dags');
  const { accessKeyId, secretAccessKey } = seaweedfs.s3.access;
  const env = {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_ENDPOINT_URL: seaweedfs.endpoint,
    DAGMOUNT_TO: address,
  };
  const command = async (...args: readonly string[]): Promise<Commanded> => {
    const ended = await dagmount(args, env);
    assert.equal(ended.code, 0, `dagmount ${args.join(' ')}: ${ended.stdout}${ended.stderr}`);
    return ended;
  };
  const deploy = async (files: Files, ...flags: readonly string[]): Promise<void> => {
    await rm(checkout, { recursive: true, force: true });
    writeTree(checkout, files);
    await command('deploy', checkout, 'production', '-m', 'a message', '--no-check', ...flags);
  };
  await deploy(first);
  const nodes: Node[] = [];
  for (let node = 0; node < mounts; node++) {
    const proxy = await StoreProxy.start({ upstream: seaweedfs.endpoint });
    defer(test, () => proxy.close());
    const state = await temporaryDirectory(test);
    const args = ['--endpoint-url', proxy.endpoint, '--ref', 'production', '--state-dir', state];
    const mount = await startMount(test, {
      source: address,
      env: seaweedfs.readerEnvironment,
      args: [...args, '--poll-interval', '1s', '--wait-for-store', '60s'],
    });
    nodes.push({ mount, proxy });
  }
  const remove = async (below: string): Promise<void> => {
    for (const key of (await seaweedfs.s3.list(bucket, `releases/${below}`)).keys())
      await seaweedfs.delete(bucket, key);
  };
  return { nodes, command, deploy, remove };
}

/** Waits until every mount shows this step. */
export async function untilAllShow({ nodes }: Fleet, seq: number): Promise<void> {
  for (const { mount } of nodes) {
    // After the kill of a server, the mount does not answer until there is a successor.
    const shown = async () => (await statusOf(mount).catch(() => undefined))?.release?.seq === seq;
    await waitFor(`step ${seq} at ${mount.target}`, shown);
  }
}

/** Watches the first line of a file, with one reader a mount, and records when each reader saw the line change. */
export class FlipWatch {
  readonly #readers: readonly Reader[];

  constructor(test: Cleanup, { nodes }: Fleet, path: string) {
    this.#readers = nodes.map(({ mount }) =>
      startPython('flips.py', [join(mount.target, path)], { stdin: 'pipe', deadlineMs: 1_500_000 }),
    );
    defer(test, async () => {
      for (const reader of this.#readers) reader.end();
      for (const reader of this.#readers) assert.equal((await reader.done).code, 0, reader.stderr());
    });
  }

  /** For each mount, when a line with this text last came, later than `after`; in milliseconds since the epoch. */
  async seen(text: string, after = 0): Promise<readonly number[]> {
    const of = (reader: Reader): number | undefined =>
      reader
        .stdout()
        .split('\n')
        .flatMap((line) => (line.endsWith('}') ? [JSON.parse(line) as { at: number; text: string }] : []))
        .findLast(({ at, text: line }) => line.includes(text) && at * 1000 > after)?.at;
    return Promise.all(
      this.#readers.map(
        async (reader) => 1000 * (await waitFor(`a reader to see "${text}"`, () => of(reader))),
      ),
    );
  }
}

/** Milliseconds between the first and the last of these instants. */
export function spreadOf(instants: readonly number[]): number {
  return Math.max(...instants) - Math.min(...instants);
}
