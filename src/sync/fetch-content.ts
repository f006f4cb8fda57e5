import { chunkCount } from '../cache/chunks.ts';
import { ABSENT } from '../cache/verification.ts';
import type { Stop } from '../store/stop.ts';
import type { ContentVersion, Generation } from '../tree/index.ts';
import type { ContentState } from './content-state.ts';
import { codeOf, isStale } from './failure.ts';
import type { ContentCachePort, Located } from './ports.ts';

/** How fetching the whole content of one version ended. */
export type Fetched =
  /** The fingerprint is ABSENT for a file in chunks: the session requests each chunk itself. */
  | { readonly kind: 'local'; readonly fingerprint: bigint }
  | { readonly kind: 'no-room' }
  /** The store has another object under this path, or none. `error` is the store's error. */
  | { readonly kind: 'stale'; readonly code: string; readonly error: unknown };

/** Makes all content of a version local. Rejects with the store's error. */
export async function fetchContent(
  cache: Pick<ContentCachePort, 'ensure'>,
  version: ContentVersion,
  signal: Stop,
): Promise<Fetched> {
  try {
    const chunks = chunkCount(version.size);
    if (chunks === undefined) return fetchedOf(await ensure(cache, version, undefined, signal));
    for (let chunk = 0; chunk < chunks; chunk++) {
      const located = await ensure(cache, version, chunk, signal);
      if (located.kind === 'memory') return { kind: 'no-room' };
    }
    return { kind: 'local', fingerprint: ABSENT };
  } catch (error) {
    const code = codeOf(error);
    if (code !== undefined && isStale(code)) return { kind: 'stale', code, error };
    throw error;
  }
}

/** Does the same as {@link fetchContent}, and marks the entry as arriving for its readers. */
export async function fetchEntry(
  cache: Pick<ContentCachePort, 'ensure'>,
  { generation, content }: { readonly generation: Generation; readonly content: ContentState },
  index: number,
  signal: Stop,
  version: ContentVersion = generation.version(index),
): Promise<Fetched> {
  content.setArriving(index);
  try {
    const fetched = await fetchContent(cache, version, signal);
    if (fetched.kind === 'local') content.setLocal(index, fetched.fingerprint);
    return fetched;
  } finally {
    content.setAbsent(index);
  }
}

/** Whether all content of a version is on disk, verified or not. */
export function isLocal(
  cache: Pick<ContentCachePort, 'has'>,
  version: Pick<ContentVersion, 'name' | 'size'>,
): boolean {
  const chunks = chunkCount(version.size);
  if (chunks === undefined) return cache.has(version);
  for (let chunk = 0; chunk < chunks; chunk++) if (!cache.has(version, chunk)) return false;
  return true;
}

function ensure(
  cache: Pick<ContentCachePort, 'ensure'>,
  version: ContentVersion,
  chunk: number | undefined,
  signal: Stop,
): Promise<Located> {
  return cache.ensure(version, chunk, { signal, priority: 'background' });
}

function fetchedOf(located: Located): Fetched {
  return located.kind === 'local' ? { kind: 'local', fingerprint: located.fingerprint } : { kind: 'no-room' };
}
