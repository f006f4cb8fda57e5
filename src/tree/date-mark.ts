import type { ListedObjects } from './listing.ts';

/*
 * A version of the content at a path is identified by its listed ETag and size. If a listing has no ETag for
 * an object, the object's date takes the place of the ETag, behind a byte that no ETag contains. Then two
 * versions with equal size and date cannot be distinguished. Trees, ids and version names treat this marked
 * date like an ETag, but readers never see it as an ETag.
 */

/** A space. */
const MARK = ' ';

/**
 * Returns the ETag of a version if it is from a listing; undefined if a marked date or a marked SHA-256 has
 * the place of the ETag, or if there is nothing in its place.
 */
export function listedEtag(etag: string): string | undefined {
  return etag === '' || etag.startsWith(MARK) ? undefined : etag;
}

/**
 * Returns whether nothing has the place of an object's ETag. If `markDates` has run, the object has neither
 * ETag nor date, so dagmount could not detect that it was replaced.
 */
export function lacksVersion({ etagEnds }: ListedObjects, object: number): boolean {
  return etagEnds[object] === (etagEnds[object - 1] ?? 0);
}

/** Returns the listing with a marked date in place of each missing ETag, if the date is known. */
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
