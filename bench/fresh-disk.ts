import { execFile } from 'node:child_process';
import { mkdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Cleanup, defer, temporaryDirectory } from '../test/support/temporary.ts';

const run = promisify(execFile);

export interface FreshDisk {
  readonly directory: string;
  /** For the report: what the figures were taken on. */
  readonly kind: string;
}

/**
 * A new ext4 file system in a file, if one can be made (root, mkfs.ext4, a loop device). For minutes after many files
 * were removed, ext4 searches past their inodes at each creation: 0.5 ms a file instead of 0.02 were seen. A run right
 * after another would measure the clean-up of the previous one.
 */
export async function freshDisk(context: Cleanup, bytes = 4 * 2 ** 30): Promise<FreshDisk> {
  const directory = await temporaryDirectory(context);
  const image = join(directory, 'image');
  const mounted = join(directory, 'disk');
  await mkdir(mounted);
  try {
    await writeFile(image, '');
    await truncate(image, bytes);
    await run('mkfs.ext4', ['-q', '-F', '-E', 'lazy_itable_init=0,lazy_journal_init=0', image]);
    await run('mount', ['-o', 'loop', image, mounted]);
  } catch (error) {
    return { directory, kind: `the disk of ${directory} (no new one: ${String(error).split('\n', 1)[0]})` };
  }
  defer(context, async () => {
    await run('umount', [mounted]);
  });
  return { directory: mounted, kind: 'a new ext4 file system' };
}
