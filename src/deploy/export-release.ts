import { randomBytes } from 'node:crypto';
import { chmod, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { inOrder } from '../base/in-order.ts';
import { syncDirectory } from '../base/sync-directory.ts';
import type { Manifest, ReleasedFile } from '../release/index.ts';
import { readContent } from './read-release.ts';
import type { ReleaseStore } from './release-store.ts';

export interface ExportOptions {
  readonly store: ReleaseStore;
  readonly concurrency: number;
  readonly signal: AbortSignal;
}

/**
 * Writes a release to a new directory, for hosts without FUSE: completely or not at all. First writes the
 * files to a temporary directory beside the new one, with a name that begins with a dot. Once everything is
 * on the disk, one rename gives the temporary directory the final name.
 *
 * @throws {ReleaseError} if content is damaged; {DeployError} if a pack is missing; {StoreError}; and errors
 *   of the file system (EEXIST, ENOTEMPTY if the directory exists)
 */
export async function exportRelease(
  { files }: Manifest,
  directory: string,
  { store, concurrency, signal }: ExportOptions,
): Promise<void> {
  const growing = join(dirname(directory), `.dagmount-export-${randomBytes(8).toString('hex')}`);
  await mkdir(growing, { mode: 0o755 });
  try {
    const write = (file: ReleasedFile, signal: AbortSignal): Promise<void> =>
      writeFileOf(file, growing, store, signal);
    // When the loop ends, all writers have ended: a late one would recreate the directory that is removed
    // below.
    for await (const _ of inOrder(files, write, { concurrency, ahead: 2 * concurrency, signal }));
    // crash point: the release is complete, under another name. rename(2) replaces only an empty directory.
    await rename(growing, directory);
    await syncDirectory(dirname(directory));
  } catch (error) {
    await rm(growing, { recursive: true, force: true });
    throw error;
  }
}

async function writeFileOf(
  file: ReleasedFile,
  root: string,
  store: ReleaseStore,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  const path = join(root, file.path);
  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  const content = await readContent(store, file, signal);
  const handle = await open(path, 'wx', 0o644);
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
  if (file.executable) await chmod(path, 0o755);
}
