import { checkBlob } from './blob-file.ts';
import { blobKey, pathOfKey } from './blob-path.ts';
import { blobRange } from './chunks.ts';
import type { ContentVersion } from './content-version.ts';
import { flawOf, labelOf } from './trailer.ts';

/**
 * Reads and verifies one blob of a cache directory that is not opened: for a server whose readers wait, since opening
 * takes a look at every blob there is. Resolves with its fingerprint, or undefined where there is no good one; what is bad is
 * left to the opened cache, which removes and counts it.
 */
export async function findBlob(
  directory: string,
  version: ContentVersion,
  chunk: number | undefined,
): Promise<bigint | undefined> {
  const { start, end } = blobRange(version.size, chunk);
  const label = labelOf(version, chunk);
  const path = pathOfKey(directory, blobKey(version.name, chunk));
  const checked = await checkBlob(path, (file) => flawOf(file, end - start, label));
  return checked.kind === 'good' ? checked.fingerprint : undefined;
}
