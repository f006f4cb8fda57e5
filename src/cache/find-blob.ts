import type { ContentVersion } from '../base/content-version.ts';
import { checkBlob } from './blob-file.ts';
import { blobKey, pathOfKey } from './blob-path.ts';
import { blobRange } from './chunks.ts';
import { flawOf, labelOf } from './trailer.ts';

/**
 * Reads and verifies one blob of a cache directory without opening the cache. Opening it would examine every
 * blob while readers may be waiting for the server. Resolves with the blob's fingerprint; undefined if there
 * is no good blob. A corrupt blob stays here: the cache removes and counts it later, when it is open.
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
