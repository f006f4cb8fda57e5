import { createHash } from 'node:crypto';
import { CHUNK_BYTES } from '../cache/chunks.ts';
import type { ContentCache } from '../cache/content-cache.ts';
import type { ContentStore } from '../cache/receive.ts';
import { StoreError } from '../store/store-error.ts';
import { isSourceDown } from '../sync/failure.ts';
import type { ContentVersion } from '../tree/index.ts';

/**
 * Whether the cached content equals the object of a standby source, so that a switch need not show the file
 * as changed. Returns undefined if the content is not cached or too large. Rejects with the store's error.
 */
export async function hasSameBytes(
  cache: Pick<ContentCache, 'inspection'>,
  mine: ContentVersion,
  theirs: ContentVersion,
  content: ContentStore,
  signal: AbortSignal,
): Promise<boolean | undefined> {
  if (mine.size > CHUNK_BYTES) return undefined;
  const digest = await cache.inspection.checksum(mine, signal);
  if (digest === undefined) return undefined;
  const { path, etag: ifMatch, size, lastModified } = theirs;
  const { body } = await content.get(path, { ifMatch, size, lastModified, signal, priority: 'background' });
  const hash = createHash('sha256');
  for await (const part of body) hash.update(part);
  return hash.digest('hex') === digest;
}

/** Whether the store refuses this object (archived, or encrypted with another key), and might give others. */
export function isRefusal(error: unknown): boolean {
  return error instanceof StoreError && !isSourceDown(error.code);
}
