import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Deployed, deploy } from '../src/deploy/deploy.ts';
import { openReleaseRoot } from '../src/deploy/open-root.ts';
import { collectDirectory, collectFile } from '../src/deploy/source-files.ts';
import { accessOptions } from '../test/support/access-options.ts';
import type { Seaweedfs } from '../test/support/seaweedfs.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../test/support/temporary.ts';
import { writeTree } from '../test/support/write-tree.ts';

export interface DeployedRelease {
  readonly seaweedfs: Seaweedfs;
  readonly bucket: string;
  /** Below the bucket, with a slash at its end. */
  readonly prefix: string;
  readonly files: ReadonlyMap<string, string>;
  /** Files that are changed afterwards, one with each deploy. */
  readonly changes: number;
}

/** Deploys files to the environment `bench`, and then some of them anew, one by one. */
export async function deployRelease(options: DeployedRelease): Promise<void> {
  const { seaweedfs, bucket, prefix, files, changes } = options;
  const directory = await makeTemporaryDirectory();
  const { accessKeyId, secretAccessKey } = seaweedfs.s3.access;
  const way = accessOptions({ bucket, prefix, endpoints: [seaweedfs.endpoint], concurrency: 32 });
  const environment = {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_REGION: 'us-east-1',
  };
  // The SDK looks for credentials only there.
  Object.assign(process.env, environment);
  const { signal } = new AbortController();
  const root = await openReleaseRoot(way, environment, {
    wallClock: Date.now,
    delay: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
  });
  const take = (deployed: Deployed) =>
    deploy(deployed, {
      ...root,
      root: `s3://${bucket}/${prefix.replace(/\/$/, '')}`,
      environment: 'bench',
      words: { author: 'bench', message: 'bench', commit: undefined, url: undefined, notBefore: undefined },
      allowDeletions: false,
      mayReplaceArmed: false,
      sign: async () => [],
      check: async () => undefined,
      pause: (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds)),
      signal,
    });
  try {
    writeTree(directory, files);
    await take({
      kind: 'tree',
      files: await collectDirectory(directory, { shows: () => true, excludes: () => false, signal }),
    });
    const paths = [...files.keys()];
    for (let change = 0; change < changes; change++) {
      const path = paths[(change * 7) % paths.length]!;
      await writeFile(
        join(directory, path),
        `${change}\n${files.get(path)}`.slice(0, files.get(path)!.length),
      );
      await take({ kind: 'files', files: [await collectFile(join(directory, path), path)], removed: [] });
    }
  } finally {
    await root.close();
    await removeTemporaryDirectory(directory);
  }
}
