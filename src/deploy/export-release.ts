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
 * Writes a release into a directory that is not there yet, for hosts without FUSE: whole, or not at all. It grows beside, under
 * a name that begins with a dot, and gets its own by one rename once everything is on the disk.
 *
 * @throws {ReleaseError}, {StoreError}, and what the file system says (EEXIST, ENOTEMPTY where the directory is there)
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
    // All writers have ended when this has: a late one would make the directory again that is removed below.
    for await (const _ of inOrder(files, write, { concurrency, ahead: 2 * concurrency, signal }));
    // crash point: whole, under another name. rename(2) replaces an empty directory, and no other.
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
