const RESERVED = /[!'()*]/g;

/** Percent-encodes as Signature Version 4 requires: everything except the unreserved characters of RFC 3986. */
export function encodeComponent(text: string): string {
  return encodeURIComponent(text).replace(RESERVED, percent);
}

/** Percent-encodes a key for a request's path, and keeps its slashes. */
export function encodeKey(key: string): string {
  return encodeComponent(key).replaceAll('%2F', '/');
}

/** A path with a query, sorted as Signature Version 4 signs it. */
export function withQuery(path: string, query: Readonly<Record<string, string>>): string {
  const names = Object.keys(query).sort();
  if (names.length === 0) return path;
  const pairs = names.map((name) => `${encodeComponent(name)}=${encodeComponent(query[name] ?? '')}`);
  return `${path}?${pairs.join('&')}`;
}

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}
