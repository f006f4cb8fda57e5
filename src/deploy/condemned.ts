import { canonicalJson, Fields, isCollectable, parseCanonicalJson, releaseKeys } from '../release/index.ts';
import { type ReleaseStore, writeOver } from './release-store.ts';

/** Keys that are to be deleted, by the instant at which that was decided (milliseconds since the epoch). */
export type Condemned = ReadonlyMap<string, number>;

/** So long a key is condemned before it is deleted: whoever writes meanwhile knows, and does not count on it. */
export const GRACE_MS = 2 * 3600 * 1000;
/** A writer that began earlier may have looked before a key was condemned. It gives up, in time before the key goes. */
export const LONGEST_WRITER_MS = 3600 * 1000;

const MOST_KEYS = 1_000_000;
const MOST_BYTES = 256 * 1024 * 1024;

/** What is condemned, and the ETag of the document that says so; undefined: there is none. */
export async function readCondemned(
  store: ReleaseStore,
  signal: AbortSignal,
): Promise<{ readonly keys: Condemned; readonly etag: string | undefined }> {
  const object = await store.read(releaseKeys.condemned, MOST_BYTES, signal);
  if (object === undefined) return { keys: new Map(), etag: undefined };
  const fields = new Fields(parseCanonicalJson(object.bytes, releaseKeys.condemned), releaseKeys.condemned);
  fields.integer('schema', 1, 1);
  const keys = fields.list('condemned', MOST_KEYS).map((value) => {
    const entry = new Fields(value, `an entry of ${releaseKeys.condemned}`);
    // An attacker who can write this document must not have refs or logs deleted by it.
    const read = [entry.text('key', isCollectable), entry.integer('at', 0, Number.MAX_SAFE_INTEGER)] as const;
    entry.end();
    return read;
  });
  fields.end();
  return { keys: new Map(keys), etag: object.etag };
}

/** Whether the document took the place of the one with this ETag, or of none. */
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
