import type { ContentVersion } from '../base/content-version.ts';
import { checkBlob } from './blob-file.ts';
import { blobKey, pathOfKey } from './blob-path.ts';
import { blobRange } from './chunks.ts';
import { flawOf, labelOf } from './trailer.ts';

/**
 * Reads and verifies one blob of a cache directory without opening the cache: opening it examines every blob, and a
 * server's readers may be waiting. Resolves with its fingerprint, or undefined if there is no good one. The opened
 * cache later removes and counts a corrupt one.
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
