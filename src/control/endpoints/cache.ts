import type { CacheViews } from '../cache-views.ts';
import { badAfter, DEFAULT_LIMIT } from '../paging.ts';
import {
  blobsShape,
  cacheShape,
  emptyRequestShape,
  type PathResult,
  pathResultsShape,
  pathsRequestShape,
  prefetchRequestShape,
  verifiedShape,
} from '../shapes/cache.ts';
import { noQueryShape, pageQueryShape } from '../shapes/status.ts';
import { type Route, route } from './route.ts';

const DEFAULT_TIMEOUT_SECONDS = 60;

export function cacheRoutes(cache: CacheViews): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/v1/cache',
      summary: 'Totals of the cache',
      query: noQueryShape,
      answers: { 200: cacheShape },
      handle: () => ({ status: 200, json: cache.totals() }),
    }),
    route({
      method: 'GET',
      path: '/v1/cache/blobs',
      summary: 'The blobs of the cache, the most recently used first',
      query: pageQueryShape,
      answers: { 200: blobsShape },
      handle: ({ query: { after, limit = DEFAULT_LIMIT } }) => {
        if (after !== undefined && !/^\d{1,15}$/.test(after)) throw badAfter();
        const { items, next } = cache.blobs(after === undefined ? undefined : Number(after), limit);
        return { status: 200, json: { items, next: next === undefined ? null : String(next) } };
      },
    }),
    pathsRoute('evict', 'Removes content from the cache; the next read fetches it again', (...asked) =>
      cache.evict(...asked),
    ),
    pathsRoute('pin', 'Keeps paths in the cache, in their present and future versions', (...asked) =>
      cache.pin(...asked),
    ),
    pathsRoute('unpin', 'Removes the pins of paths', (...asked) => cache.unpin(...asked)),
    route({
      method: 'POST',
      path: '/v1/cache/prefetch',
      summary: 'Fetches content ahead of reads; answers when it is local, or at the time limit',
      query: noQueryShape,
      body: prefetchRequestShape,
      answers: { 200: pathResultsShape },
      handle: async ({ body: { paths, version, timeoutSeconds = DEFAULT_TIMEOUT_SECONDS }, signal }) => {
        const until = AbortSignal.any([signal, AbortSignal.timeout(Math.ceil(1000 * timeoutSeconds))]);
        return answered(await cache.prefetch(paths, until, version));
      },
    }),
    route({
      method: 'POST',
      path: '/v1/cache/verify',
      summary: 'Reads and checks the whole cache, and removes damaged blobs',
      query: noQueryShape,
      body: emptyRequestShape,
      answers: { 200: verifiedShape },
      handle: async () => ({ status: 200, json: await cache.verify() }),
    }),
  ];
}

function pathsRoute(verb: 'evict' | 'pin' | 'unpin', summary: string, run: CacheViews['evict']): Route {
  return route({
    method: 'POST',
    path: `/v1/cache/${verb}`,
    summary,
    query: noQueryShape,
    body: pathsRequestShape,
    answers: { 200: pathResultsShape },
    handle: async ({ body: { paths, version }, signal }) => answered(await run(paths, signal, version)),
  });
}

function answered(items: PathResult[]): { readonly status: 200; readonly json: unknown } {
  return { status: 200, json: { items } };
}
