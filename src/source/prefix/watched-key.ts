import type { ObjectHead } from '../../store/object-store.ts';
import type { S3Store } from '../../store/s3-store.ts';
import type { WatchedKey } from '../source.ts';

/** The same deadline as for a page of a listing, because this request takes the place of a listing. */
const WATCH_DEADLINE_MS = 10_000;

/**
 * Returns a check of the object whose change means that there is something new to list. Returns undefined if
 * no key is given.
 */
export function watchedKeyOf(key: string | undefined, store: S3Store): WatchedKey | undefined {
  if (key === undefined) return undefined;
  const options = { priority: 'background', deadlineMs: WATCH_DEADLINE_MS } as const;
  return {
    key,
    look: async (seen, signal) => {
      const head = await store.headUnless(seen, key, { ...options, signal });
      return head === undefined || head.etag !== '' ? head?.etag : dateOf(head);
    },
  };
}

/** Returns a substitute for the ETag, if the store sends none. It contains a space, which no ETag does. */
function dateOf({ size, lastModified }: ObjectHead): string {
  return ` ${lastModified} ${size}`;
}
