/**
 * What an ETag may be: one rule for listings, for answers to GET and HEAD, and for objects that a fetch found
 * in place of the listed ones. ETags are sent back in headers, kept in trees and labels, and shown to people.
 */

/**
 * The maximum number of bytes of an ETag. S3's ETags have at most 38; ETags of 70 were seen from other
 * stores.
 */
export const LONGEST_ETAG = 1024;

const DOUBLE_QUOTE = 0x22;
const UPPER_W = 0x57;
const SLASH = 0x2f;

/**
 * Whether an ETag may have this byte: a visible character except the double quote (RFC 9110, 8.8.3). The RFC
 * also allows bytes above ASCII, but few clients can send them in a header.
 */
export function isEtagByte(byte: number): boolean {
  return byte > 0x20 && byte < 0x7f && byte !== DOUBLE_QUOTE;
}

/** Whether a text can be an ETag without its quotes. */
export function isEtag(text: string): boolean {
  if (text.length === 0 || text.length > LONGEST_ETAG) return false;
  for (let at = 0; at < text.length; at++) if (!isEtagByte(text.charCodeAt(at))) return false;
  return true;
}

/** Returns an ETag without its quotes and without the mark `W/` of a weak ETag, which proxies add. */
export function bareEtag(etag: string): string {
  const start = etag.startsWith('W/') ? 2 : 0;
  const quoted = etag.length > start + 1 && etag[start] === '"' && etag.endsWith('"');
  return quoted ? etag.slice(start + 1, -1) : etag.slice(start);
}

/** As {@link bareEtag}, on bytes in place: returns where the bare ETag begins and ends. */
export function bareEtagRange(
  text: Uint8Array,
  start: number,
  end: number,
): { readonly start: number; readonly end: number } {
  const weak = end - start >= 2 && text[start] === UPPER_W && text[start + 1] === SLASH;
  const from = weak ? start + 2 : start;
  const quoted = end - from >= 2 && text[from] === DOUBLE_QUOTE && text[end - 1] === DOUBLE_QUOTE;
  return quoted ? { start: from + 1, end: end - 1 } : { start: from, end };
}

const MD5 = /^[0-9a-f]{32}$/;

/** Whether a text looks like an MD5, as the ETag of an object does that was uploaded in one piece. */
export function isMd5(text: string): boolean {
  return MD5.test(text);
}

/** Whether a header's ETag is weak: If-Match never holds for it (RFC 9110, 13.1.1). */
export function isWeak(etag: string): boolean {
  return etag.startsWith('W/');
}
