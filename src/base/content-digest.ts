/*
 * Content that is identified only by its SHA-256. Its digest takes the place of an ETag, marked by a byte that no
 * ETag contains. So code that compares ETags compares digests, and no ETag of a store is mistaken for a digest.
 */

/**
 * The mark begins with a space, which no ETag contains. No digit follows the space, unlike in a date that
 * takes the place of an ETag (src/tree/date-mark.ts).
 */
const MARK = ' sha256:';
const MARKED_LENGTH = MARK.length + 64;

/** The mark and digest that take the place of an ETag. `sha256` is 64 hex digits. */
export function markDigest(sha256: string): string {
  return MARK + sha256;
}

/** The SHA-256 if markDigest() made the text; undefined if the text is an ETag or a date. */
export function digestOf(etag: string): string | undefined {
  return etag.length === MARKED_LENGTH && etag.startsWith(MARK) ? etag.slice(MARK.length) : undefined;
}
