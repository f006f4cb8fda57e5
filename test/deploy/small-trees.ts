import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after } from 'node:test';
import { readStanding } from '../../src/deploy/current-step.ts';
import type { Deployed, DeployOptions } from '../../src/deploy/deploy.ts';
import { readContent, readManifest } from '../../src/deploy/read-release.ts';
import { collectDirectory, collectFile } from '../../src/deploy/source-files.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../support/temporary.ts';
import { writeTree } from '../support/write-tree.ts';
import type { MemoryReleaseStore } from './memory-release-store.ts';

export const directory = await makeTemporaryDirectory();
after(() => removeTemporaryDirectory(directory));
export const { signal } = new AbortController();
export const words = { author: 'zoe', message: 'm', commit: undefined, url: undefined, notBefore: undefined };

let folders = 0;
/** Writes files to a new directory, to be deployed as a whole tree. */
export async function tree(files: Readonly<Record<string, string>>): Promise<Deployed> {
  const folder = join(directory, `tree-${folders++}`);
  writeTree(folder, files);
  return {
    kind: 'tree',
    files: await collectDirectory(folder, { shows: () => true, excludes: () => false, signal }),
  };
}

/** Writes one file, to be deployed on top of the tree that is there. */
export async function file(path: string, text: string, removed: readonly string[] = []): Promise<Deployed> {
  const source = join(directory, `file-${folders++}`);
  writeFileSync(source, text);
  return { kind: 'files', files: [await collectFile(source, path)], removed };
}

/** The options of a deploy to production, 1,000 ms after the epoch. */
export function options(store: MemoryReleaseStore, more: Partial<DeployOptions> = {}): DeployOptions {
  return {
    store,
    root: 'root',
    environment: 'production',
    words,
    allowDeletions: false,
    mayReplaceArmed: false,
    sign: async () => [],
    check: async () => undefined,
    now: () => 1_000,
    pause: async () => undefined,
    signal,
    ...more,
  };
}

/** The files of the newest step, by path. */
export async function shown(
  store: MemoryReleaseStore,
  environment = 'production',
): Promise<Readonly<Record<string, string>>> {
  const { step } = await readStanding(store, environment, signal);
  const { files } = await readManifest(store, step!.payload, signal);
  const contents = await Promise.all(
    files.map(async (one) => [one.path, Buffer.from(await readContent(store, one, signal)).toString()]),
  );
  return Object.fromEntries(contents);
}
