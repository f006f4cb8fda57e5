import type { IncomingHttpHeaders } from 'node:http';

export function header(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** An ETag without its quotes and without the mark of a weak one, which proxies add. */
export function bareEtag(etag: string): string {
  const start = etag.startsWith('W/') ? 2 : 0;
  const quoted = etag.length > start + 1 && etag[start] === '"' && etag.endsWith('"');
  return quoted ? etag.slice(start + 1, -1) : etag.slice(start);
}
