import { RefusedRequest } from '../refused-request.ts';

/**
 * Splits the target of a request, as it was sent, into path and query. Uses no URL object, which would
 * already have resolved `..`. Throws RefusedRequest if the target does not begin with a slash.
 */
export function addressOf(url: string): { readonly path: string; readonly query: string } {
  if (!url.startsWith('/')) {
    throw new RefusedRequest(
      'malformed-request',
      'The address does not begin with a slash.',
      'Try /v1/status.',
    );
  }
  const mark = url.indexOf('?');
  return mark < 0 ? { path: url, query: '' } : { path: url.slice(0, mark), query: url.slice(mark + 1) };
}

export function queryOf(query: string): Record<string, string> {
  const given = new URLSearchParams(query);
  const once = new Map<string, string>();
  for (const [name, value] of given) {
    if (once.has(name)) {
      throw new RefusedRequest('bad-parameter', `${name} is given more than once.`, 'Give it once.', {
        members: { field: name },
      });
    }
    once.set(name, value);
  }
  return Object.fromEntries(once);
}
