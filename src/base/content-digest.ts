/*
 * Content that is known by its SHA-256, and by nothing else: wherever other content has an ETag, it has its digest, marked
 * by a byte that no ETag has. So whoever compares ETags compares digests, and no ETag of a store is ever taken for one.
 */

/** A space in front, which no ETag has, and no digit behind it, which a date in an ETag's place has (src/tree/date-mark.ts). */
const MARK = ' sha256:';
const MARKED_LENGTH = MARK.length + 64;

/** What stands in the place of the ETag of such content. `sha256` is 64 hex digits. */
export function markDigest(sha256: string): string {
  return MARK + sha256;
}

/** The SHA-256 of content by what stands in the place of its ETag; undefined where that is an ETag, or a date. */
export function digestOf(etag: string): string | undefined {
  return etag.length === MARKED_LENGTH && etag.startsWith(MARK) ? etag.slice(MARK.length) : undefined;
}
