import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

/** Makes the names in a directory survive a power failure (fsync(2)). */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
