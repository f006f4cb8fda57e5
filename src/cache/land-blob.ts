import type { ContentVersion } from '../base/content-version.ts';
import { SYNC_BYTES } from './blob-file.ts';
import { blobKey } from './blob-path.ts';
import { blobRange } from './chunks.ts';
import type { AdoptMeans, Located } from './fetch-current.ts';
import { NotCached } from './not-cached.ts';
import { contentOf, type ReceivedBlob, receive, receiveSmall } from './receive.ts';
import type { Flight } from './single-flight.ts';
import { flawOf, labelOf } from './trailer.ts';
import type { WriteQueue } from './write-queue.ts';

export interface LandingMeans extends AdoptMeans {
  /** Called if the disk did not take a blob that was fetched. */
  readonly passedThrough: () => void;
  readonly writes: WriteQueue;
}

/** A blob that is local now, or in memory. */
export interface Landed {
  readonly located: Located;
  /** Whether the blob was fetched. Otherwise it was on disk. */
  readonly isFetched: boolean;
}

/**
 * Makes one blob local, for all callers that wait for it: checks the blob on disk, or fetches it. Rejects as
 * ContentCache.ensure() does.
 */
export async function landBlob(
  version: ContentVersion,
  chunk: number | undefined,
  means: LandingMeans,
  flight: Flight,
  localOnly: boolean,
): Promise<Landed> {
  const { disk, buffers } = means;
  const key = blobKey(version.name, chunk);
  const { start, end } = blobRange(version.size, chunk);
  const bytes = end - start;
  await buffers.take(bytes, flight);
  try {
    flight.signal.throwIfAborted();
    const blob = disk.index.peek(key);
    if (blob !== undefined) {
      const label = labelOf(version, chunk);
      const checked = await disk.check(blob, (file) => flawOf(file, bytes, label));
      if (checked.kind === 'good') {
        disk.use(blob);
        return { located: { kind: 'local', fingerprint: checked.fingerprint }, isFetched: false };
      }
    }
    if (localOnly) throw new NotCached(version.path);
    return { located: await fetchBlob(version, chunk, means, flight), isFetched: true };
  } finally {
    buffers.release(bytes);
  }
}

async function fetchBlob(
  version: ContentVersion,
  chunk: number | undefined,
  { store, disk, writes, passedThrough }: LandingMeans,
  flight: Flight,
): Promise<Located> {
  const { signal } = flight;
  const { name } = version;
  const key = blobKey(name, chunk);
  const range = blobRange(version.size, chunk);
  // Reserve space before the fetch, so that concurrent fetches do not exceed the limit together.
  const room = disk.reserve(name, range.end - range.start);
  let received: ReceivedBlob | undefined;
  let fingerprint: bigint | undefined;
  try {
    // A reader's fetch goes the whole way at once: the short one may cost a second request.
    if (!flight.urgent && chunk === undefined) received = await receiveSmall(store, version, signal);
    received ??= await receive(store, version, chunk, range, {
      signal,
      priority: flight.urgent ? 'demand' : 'background',
    });
    if (room !== undefined) {
      if (mayWait(version, received, flight)) await writes.turn(flight, received.fileBytes);
      // The cache may have been closed meanwhile.
      signal.throwIfAborted();
      const written = disk.write(key, name, received);
      fingerprint = typeof written === 'bigint' ? written : await written;
    }
  } finally {
    room?.release();
  }
  const { bytes, fileBytes } = received;
  if (fingerprint !== undefined && disk.add({ key, name, bytes, fileBytes, fingerprint })) {
    return { kind: 'local', fingerprint };
  }
  passedThrough();
  return { kind: 'memory', bytes: contentOf(received) };
}

/**
 * Whether a blob may wait before it is written: if no reader waits for it, and if writing it would block the
 * event loop. A file of a release may be a part of a segment, which stays in memory as long as the file waits.
 */
function mayWait({ place }: ContentVersion, { fileBytes }: ReceivedBlob, { urgent }: Flight): boolean {
  return !urgent && place === undefined && fileBytes <= SYNC_BYTES;
}
