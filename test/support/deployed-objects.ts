import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { markDigest } from '../../src/base/content-digest.ts';
import { compareFiles, countsOf } from '../../src/deploy/file-changes.ts';
import { readFiles } from '../../src/deploy/read-release.ts';
import type { SourceFile } from '../../src/deploy/source-files.ts';
import { takeStep } from '../../src/deploy/take-step.ts';
import { upload } from '../../src/deploy/upload.ts';
import { isShowable } from '../../src/release/index.ts';
import { deployOptions, wordsOf } from '../deploy/deploy-options.ts';
import { openReleaseStore } from '../deploy/open-release-store.ts';
import { sha256 } from './released-tree.ts';
import type { S3Access } from './s3.ts';
import { type Cleanup, defer, temporaryDirectory } from './temporary.ts';

export const ENVIRONMENT = 'production';

/**
 * Files that a test writes one by one, as objects; each state of them is a release of one environment. Files that it
 * writes during a deploy go into the next release together. This checks no file: a deployer may be another program.
 */
export class DeployedObjects {
  readonly #files = new Map<string, SourceFile>();
  readonly #directory: string;
  readonly #store: Awaited<ReturnType<typeof openReleaseStore>>['store'];
  readonly #root: string;
  /** The files of the release to which the environment points. */
  #deployed: ReadonlyMap<string, string> = new Map();
  #last: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;
  #together = 0;

  private constructor(
    store: Awaited<ReturnType<typeof openReleaseStore>>['store'],
    root: string,
    directory: string,
  ) {
    this.#store = store;
    this.#root = root;
    this.#directory = directory;
  }

  /** @param prefix the release root, with its slash */
  static async open(
    test: Cleanup,
    { endpoint, accessKeyId, secretAccessKey }: S3Access,
    bucket: string,
    prefix: string,
  ): Promise<DeployedObjects> {
    const credentials = { accessKeyId, secretAccessKey };
    const opened = await openReleaseStore({ endpoint, bucket, root: prefix, credentials });
    defer(test, () => opened.close());
    const directory = join(await temporaryDirectory(test), 'contents');
    await mkdir(directory);
    return new DeployedObjects(opened.store, `s3://${bucket}/${prefix.slice(0, -1)}`, directory);
  }

  /** The identities of the contents by path, as nodes compute them. */
  get identities(): ReadonlyMap<string, string> {
    return new Map([...this.#files].map(([path, file]) => [path, markDigest(file.sha256)]));
  }

  async put(path: string, body: string | Uint8Array): Promise<void> {
    await this.putAll([[path, body]]);
  }

  /** Leaves out what no release can have: a path that no node can show, and a file at a folder's path. */
  async putAll(files: Iterable<readonly [path: string, body: string | Uint8Array]>): Promise<void> {
    for (const [path, body] of files) {
      const digest = sha256(body);
      const source = join(this.#directory, digest);
      const size = Buffer.byteLength(body);
      // Write the content before the file is in `#files`: another deploy may start meanwhile.
      await writeFile(source, body);
      if (!isShowable(path) || this.#isBlocked(path)) continue;
      this.#files.set(path, { path, size, sha256: digest, executable: false, source });
    }
    await this.#commit();
  }

  async delete(path: string): Promise<void> {
    this.#files.delete(path);
    await this.#commit();
  }

  /** Makes all that `write` writes one release. */
  async together(write: () => Promise<void>): Promise<void> {
    this.#together += 1;
    try {
      await write();
    } finally {
      this.#together -= 1;
    }
    await this.#commit();
  }

  #isBlocked(path: string): boolean {
    for (let slash = path.indexOf('/'); slash !== -1; slash = path.indexOf('/', slash + 1)) {
      if (this.#files.has(path.slice(0, slash))) return true;
    }
    for (const other of this.#files.keys()) if (other.startsWith(`${path}/`)) return true;
    return false;
  }

  #commit(): Promise<void> {
    if (this.#together > 0) return Promise.resolve();
    if (this.#next === undefined) {
      const next = this.#last.then(() => {
        this.#next = undefined;
        return this.#deploy();
      });
      this.#next = next;
      this.#last = next.catch(() => undefined);
    }
    return this.#next;
  }

  async #deploy(): Promise<void> {
    const files = [...this.#files.values()];
    const contents = new Map(files.map(({ path, sha256: digest }) => [path, digest]));
    const before = this.#deployed;
    if (contents.size === before.size && [...contents].every(([path, digest]) => before.get(path) === digest))
      return;
    const { signal } = new AbortController();
    const store = this.#store;
    await takeStep({
      ...deployOptions({ store, signal, root: this.#root, environment: ENVIRONMENT }),
      propose: async (standing, condemned) => {
        const current = await readFiles(store, standing, signal);
        const { release, manifest } = await upload(files, current, { store, condemned, signal });
        const changes = countsOf(compareFiles(current, files));
        return {
          ...wordsOf('a test'),
          action: 'deploy',
          release,
          manifest,
          allowDeletions: false,
          changes,
        };
      },
    });
    this.#deployed = contents;
  }
}
