import type { ContentVersion } from '../base/content-version.ts';
import { retryAtOnce } from '../base/retry/retry.ts';
import { RETRIES } from '../base/retry/retry-policies.ts';
import type { ObjectHead } from '../store/object-store.ts';
import { StoreError } from '../store/store-error.ts';
import type { Reservation } from './blob-index.ts';
import type { ByteBudget } from './byte-budget.ts';
import { CHUNK_BYTES } from './chunks.ts';
import type { DiskCache } from './disk-cache.ts';
import { type ContentStore, contentOf, type ReceivedBlob, receiveFound } from './receive.ts';
import type { Flight, Stop } from './single-flight.ts';

/**
 * Where content is: in a blob on disk with that fingerprint, or in memory because the disk could not take it.
 */
export type Located =
  | { readonly kind: 'local'; readonly fingerprint: bigint }
  | { readonly kind: 'memory'; readonly bytes: Uint8Array };

/** The current content of a path. */
export interface CurrentContent {
  readonly version: ContentVersion;
  /** Milliseconds since the epoch. */
  readonly lastModified: number;
  /** Where the content is. Undefined: the content was not read, because it is empty or too large. */
  readonly located: Located | undefined;
}

export interface FetchCurrentOptions {
  /** Returns the name of the version with this ETag and size. */
  readonly nameOf: (etag: string, size: number) => string;
  /** Objects over this size are not read, nor are objects over CHUNK_BYTES. */
  readonly limitBytes: number;
}

export interface AdoptMeans {
  readonly store: ContentStore;
  readonly disk: DiskCache;
  readonly buffers: ByteBudget;
}

/**
 * Fetches the current version of a path, whichever version it is, writes its content to the cache, and marks
 * it as shown within the bound. Rejects with StoreError: `gone` if there is no object.
 */
export async function fetchCurrent(
  path: string,
  options: FetchCurrentOptions,
  means: AdoptMeans,
  flight: Flight,
): Promise<CurrentContent> {
  // Reserves the memory of the largest blob, because the object's size is unknown until the answer begins.
  await means.buffers.take(CHUNK_BYTES, flight);
  try {
    return await retryAtOnce(
      () => fetchOnce(path, options, means, flight.signal),
      RETRIES.damagedContent,
      // `changed` is retried too: the object may change again while a broken connection is replaced.
      (error) => error instanceof StoreError && (error.code === 'changed' || error.code === 'corrupt'),
    );
  } finally {
    means.buffers.release(CHUNK_BYTES);
  }
}

async function fetchOnce(
  path: string,
  { nameOf, limitBytes }: FetchCurrentOptions,
  { store, disk }: AdoptMeans,
  signal: Stop,
): Promise<CurrentContent> {
  const { index } = disk;
  let head: ObjectHead | undefined;
  let room: Reservation | undefined;
  let newlyShown: string | undefined;
  const versionOf = ({ etag, size }: ObjectHead): ContentVersion => {
    return { name: nameOf(etag, size), path, etag, size };
  };
  const take = (answer: ObjectHead): ContentVersion | undefined => {
    head = answer;
    const version = versionOf(answer);
    if (version.size === 0 || version.size > Math.min(limitBytes, CHUNK_BYTES)) return undefined;
    if (index.rankOf(version.name) === 'hidden') newlyShown = version.name;
    index.show(version.name, 'within');
    room = disk.reserve(version.name, version.size);
    return version;
  };
  let received: ReceivedBlob | undefined;
  let fingerprint: bigint | undefined;
  try {
    received = await receiveFound(store, path, take, { signal, priority: 'background' });
    if (received !== undefined && room !== undefined) {
      const { name } = versionOf(head!);
      fingerprint = await disk.write(name, name, received);
    }
  } catch (error) {
    if (newlyShown !== undefined) index.hide(newlyShown);
    throw error;
  } finally {
    room?.release();
  }
  const version = versionOf(head!);
  const { lastModified } = head!;
  if (received === undefined) return { version, lastModified, located: undefined };
  const { name } = version;
  const { bytes, fileBytes } = received;
  if (fingerprint !== undefined && disk.add({ key: name, name, bytes, fileBytes, fingerprint })) {
    return { version, lastModified, located: { kind: 'local', fingerprint } };
  }
  return { version, lastModified, located: { kind: 'memory', bytes: contentOf(received) } };
}
