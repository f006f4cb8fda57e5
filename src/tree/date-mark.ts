import type { ListedObjects } from './listing.ts';

/*
 * A version of a path is identified by its listed ETag and size. If a listing has no ETag for an object, its date
 * replaces the ETag, marked by a byte that no ETag contains: then two versions with equal size and date cannot be
 * distinguished. Trees, ids and version names treat it like an ETag, but readers never see it as one.
 */

/** A space. */
const MARK = ' ';

/** The listed ETag of a version; undefined if a date replaces it. */
export function listedEtag(etag: string): string | undefined {
  return etag === '' || etag.startsWith(MARK) ? undefined : etag;
}

/** Whether an object has neither ETag nor date: its replacement could not be detected. */
export function lacksVersion({ etagEnds }: ListedObjects, object: number): boolean {
  return etagEnds[object] === (etagEnds[object - 1] ?? 0);
}

/** The listing with the date in place of each missing ETag. */
export function markDates(objects: ListedObjects): ListedObjects {
  const { count, etags, etagEnds, lastModified } = objects;
  const marks = new Map<number, Uint8Array>();
  let room = etagEnds[count - 1] ?? 0;
  for (let i = 0; i < count; i++) {
    if (!lacksVersion(objects, i) || !Number.isFinite(lastModified[i])) continue;
    const mark = markOf(lastModified[i]!);
    marks.set(i, mark);
    room += mark.length;
  }
  if (marks.size === 0) return objects;
  const marked = new Uint8Array(room);
  const markedEnds = new Uint32Array(count);
  let used = 0;
  for (let i = 0; i < count; i++) {
    const etag = marks.get(i) ?? etags.subarray(etagEnds[i - 1] ?? 0, etagEnds[i]!);
    marked.set(etag, used);
    used += etag.length;
    markedEnds[i] = used;
  }
  return { ...objects, etags: marked, etagEnds: markedEnds };
}

function markOf(milliseconds: number): Uint8Array {
  return Buffer.from(`${MARK}${milliseconds}`, 'latin1');
}
