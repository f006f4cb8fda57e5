import {
  canonicalJson,
  Fields,
  isCollectable,
  parseCanonicalJson,
  type ReleasedFile,
  ReleaseError,
  type ReleasePayload,
  releaseKeys,
} from '../release/index.ts';
import { type ReleaseStore, writeOver } from './release-store.ts';

/** The keys of objects to be deleted, with the time of that decision (milliseconds since the epoch). */
export type Condemned = ReadonlyMap<string, number>;

/**
 * The time between condemning and deleting a key. A writer that starts in this time sees that it must not use
 * the object.
 */
export const GRACE_MS = 2 * 3600 * 1000;
/**
 * How long a writer may take. A writer that started before a key was condemned may not know about that. So it
 * must give up before the key is deleted.
 */
export const LONGEST_WRITER_MS = 3600 * 1000;

/** Whether the manifest of a release, or one of its packs, is about to be deleted. */
export function isAnyCondemned(
  condemned: Condemned,
  { release, manifest }: Pick<ReleasePayload, 'release' | 'manifest'>,
  files: readonly ReleasedFile[],
): boolean {
  return (
    condemned.has(releaseKeys.manifest(release, manifest.sha256)) ||
    files.some(({ place }) => place !== undefined && condemned.has(releaseKeys.pack(place.pack)))
  );
}

const MOST_KEYS = 1_000_000;
const MOST_BYTES = 256 * 1024 * 1024;

/**
 * Returns the condemned keys, and the ETag of the document that lists them; without a document, no keys and
 * undefined.
 */
export async function readCondemned(
  store: ReleaseStore,
  signal: AbortSignal,
): Promise<{ readonly keys: Condemned; readonly etag: string | undefined }> {
  const object = await store.read(releaseKeys.condemned, MOST_BYTES, signal);
  if (object === undefined) return { keys: new Map(), etag: undefined };
  try {
    return { keys: decode(object.bytes), etag: object.etag };
  } catch (error) {
    if (!(error instanceof ReleaseError)) throw error;
    throw new ReleaseError(
      error.code,
      error.message,
      'Check which accounts can write below the release root, and remove it while no dagmount release gc runs: the next one marks anew.',
      error,
    );
  }
}

function decode(bytes: Uint8Array): Condemned {
  const fields = new Fields(parseCanonicalJson(bytes, releaseKeys.condemned), releaseKeys.condemned);
  fields.integer('schema', 1, 1);
  const keys = fields.list('condemned', MOST_KEYS).map((value) => {
    const entry = new Fields(value, `an entry of ${releaseKeys.condemned}`);
    // An attacker with write access to this document must not be able to get refs or logs deleted.
    const read = [entry.text('key', isCollectable), entry.integer('at', 0, Number.MAX_SAFE_INTEGER)] as const;
    entry.end();
    return read;
  });
  fields.end();
  return new Map(keys);
}

/**
 * Writes the document over the one with this ETag, or creates it if there is no ETag. Returns false if
 * another writer has changed it meanwhile.
 */
export async function writeCondemned(
  store: ReleaseStore,
  keys: Condemned,
  etag: string | undefined,
  signal: AbortSignal,
): Promise<boolean> {
  const condemned = [...keys].map(([key, at]) => ({ at, key }));
  const bytes = Buffer.from(canonicalJson({ condemned, schema: 1 }));
  const { kind } = await writeOver(store, releaseKeys.condemned, bytes, etag, signal);
  return kind === 'written';
}
