import type { Route } from '../endpoints/route.ts';
import { RefusedRequest } from '../refused-request.ts';

/** The end of a part that matches the whole rest of the path. */
const REST = '...}';

export interface Matched {
  readonly route: Route;
  readonly parameters: Readonly<Record<string, string>>;
}

interface Compiled {
  readonly route: Route;
  readonly parts: readonly string[];
}

/** Finds the route of a request by the decoded parts of its path. */
export class Router {
  readonly #routes: readonly Compiled[];

  constructor(routes: readonly Route[]) {
    this.#routes = routes.map((route) => ({ route, parts: route.path.split('/').slice(1) }));
  }

  /**
   * Finds the route of a request; a HEAD request gets the route of GET. Throws RefusedRequest
   * `malformed-request`, `not-found` or `method-not-allowed`.
   */
  match(method: string, path: string): Matched {
    const parts = path.split('/').slice(1).map(decoded);
    const here = this.#routes.filter((compiled) => fits(compiled.parts, parts));
    if (here.length === 0) {
      throw new RefusedRequest('not-found', `There is no ${path} here.`, 'See GET /v1/openapi.json.');
    }
    const wanted = method === 'HEAD' ? 'GET' : method;
    const found = here.find(({ route }) => route.method === wanted);
    if (found !== undefined) return { route: found.route, parameters: parametersOf(found.parts, parts) };
    const allowed = here.flatMap(({ route }) => (route.method === 'GET' ? ['GET', 'HEAD'] : [route.method]));
    throw new RefusedRequest(
      'method-not-allowed',
      `${path} does not know ${method}.`,
      `It knows ${allowed.join(', ')}.`,
      {
        headers: { Allow: allowed.join(', ') },
      },
    );
  }
}

function fits(pattern: readonly string[], parts: readonly string[]): boolean {
  const rest = pattern.at(-1)?.endsWith(REST) === true;
  if (rest ? parts.length < pattern.length : parts.length !== pattern.length) return false;
  return pattern.every((each, at) => {
    if (!isParameter(each)) return each === parts[at];
    // The whole rest of the path may contain empty parts, but must not be empty itself.
    return each.endsWith(REST) ? parts.length > at + 1 || parts[at] !== '' : parts[at] !== '';
  });
}

function parametersOf(pattern: readonly string[], parts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pattern.flatMap((each, at) => {
      if (!isParameter(each)) return [];
      if (!each.endsWith(REST)) return [[each.slice(1, -1), parts[at] as string]];
      return [[each.slice(1, -REST.length), parts.slice(at).join('/')]];
    }),
  );
}

function isParameter(part: string): boolean {
  return part.startsWith('{');
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new RefusedRequest('malformed-request', 'The address holds a % that begins no character.');
  }
}
