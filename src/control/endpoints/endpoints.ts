import { prefersOpenMetrics } from '../metrics/open-metrics.ts';
import { pageOf, stretchOf } from '../paging.ts';
import { RefusedRequest } from '../refused-request.ts';
import {
  changesQueryShape,
  changesShape,
  generationParameterShape,
  generationsShape,
  noQueryShape,
  type Probe,
  type ProblemItem,
  pageQueryShape,
  probeShape,
  problemsShape,
  statusShape,
} from '../shapes/status.ts';
import type {
  ControlledTree,
  ControlParts,
  ControlViews,
  MountControlViews,
  MountParts,
  TreeControlViews,
  TreeParts,
} from '../views.ts';
import { cacheRoutes } from './cache.ts';
import { entriesRoute, entryRoute } from './entries.ts';
import { eventsRoute } from './events.ts';
import { inTrees } from './in-trees.ts';
import { openApiRoute } from './openapi.ts';
import { processRoutes } from './process.ts';
import { refreshTreesRoute } from './refresh-trees.ts';
import { restartRoute } from './restart.ts';
import { acceptRoute, refreshRoute } from './revalidations.ts';
import { type Answer, checked, type Route, route } from './route.ts';

/** Returns the routes of the control socket, if a tree is the whole mount. */
export function controlRoutes(views: ControlViews, parts: ControlParts): readonly Route[] {
  const routes = [...treeRoutes(views, parts), ...mountRoutes(views, parts)];
  return [...routes, openApiRoute(parts.version, routes)];
}

/**
 * Returns the routes of the control socket, if a mount shows several trees. The routes of each tree are below
 * /v1/trees.
 */
export function controlRoutesOfTrees(
  views: MountControlViews,
  parts: MountParts,
  trees: readonly ControlledTree[],
): readonly Route[] {
  const routes = [
    statusRoute(views),
    readyRoute('/v1/ready', views),
    ...mountRoutes(views, parts),
    refreshTreesRoute(trees),
    ...inTrees(trees.map((tree) => ({ path: tree.path, routes: treeRoutes(tree.views, tree) }))),
  ];
  return [...routes, openApiRoute(parts.version, routes)];
}

function mountRoutes(views: MountControlViews, { events, process }: MountParts): readonly Route[] {
  return [
    healthRoute('/v1/health', views),
    restartRoute(views),
    metricsRoute(views),
    eventsRoute(events),
    ...processRoutes(process),
  ];
}

function treeRoutes(views: TreeControlViews, { tree, cache }: TreeParts): readonly Route[] {
  return [
    statusRoute(views),
    readyRoute('/v1/ready', views),
    route({
      method: 'GET',
      path: '/v1/generations',
      summary: 'The remembered publications, the newest first',
      query: pageQueryShape,
      answers: { 200: generationsShape },
      handle: ({ query }) => {
        const newestFirst = views.history().toReversed();
        const page = pageOf(
          newestFirst,
          query,
          ({ number }) => String(number),
          (one, other) => Number(other) - Number(one),
        );
        return { status: 200, json: page };
      },
    }),
    route({
      method: 'GET',
      path: '/v1/generations/{id}/changes',
      summary: 'The paths that differ between two generations',
      query: changesQueryShape,
      answers: { 200: changesShape },
      handle: async ({ parameters, query }) => {
        const to = checked(generationParameterShape, parameters.id, 'bad-parameter', 'id');
        const found = await views.changes(query.since, to);
        if (found === undefined) throw gone(query.since, to);
        return { status: 200, json: changesPage(found, query) };
      },
    }),
    route({
      method: 'GET',
      path: '/v1/problems',
      summary: 'The keys that are left out of the tree, or cannot be read',
      query: pageQueryShape,
      answers: { 200: problemsShape },
      handle: ({ query }) => ({
        status: 200,
        json: pageOf(views.problems(), query, ({ key }: ProblemItem) => key, byCodeUnit),
      }),
    }),
    refreshRoute(views),
    acceptRoute(views),
    entriesRoute(tree),
    entryRoute(tree),
    ...cacheRoutes(cache),
  ];
}

function statusRoute(views: Pick<MountControlViews, 'status'>): Route {
  return route({
    method: 'GET',
    path: '/v1/status',
    summary: 'What is shown, how fresh it is, and what does not work fully',
    query: noQueryShape,
    answers: { 200: statusShape },
    handle: () => ({ status: 200, json: views.status() }),
  });
}

/** Returns the routes that are served over TCP. None of these routes changes or discloses anything. */
export function metricsRoutes(
  views: Pick<MountControlViews, 'metrics' | 'health' | 'readiness'>,
): readonly Route[] {
  return [metricsRoute(views), healthRoute('/healthz', views), readyRoute('/readyz', views)];
}

/** Compares two keys by their code units. The list of problems and its pages have this order. */
export function byCodeUnit(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

function healthRoute(path: string, views: Pick<MountControlViews, 'health'>): Route {
  return route({
    method: 'GET',
    path,
    summary: 'Whether the daemon answers the kernel; a store outage or a held listing does not affect it',
    query: noQueryShape,
    answers: { 200: probeShape, 503: probeShape },
    handle: async () => probeAnswer(await views.health()),
  });
}

function readyRoute(path: string, views: Pick<MountControlViews, 'readiness'>): Route {
  return route({
    method: 'GET',
    path,
    summary: 'Whether a whole tree is mounted and its content to prefetch is local',
    query: noQueryShape,
    answers: { 200: probeShape, 503: probeShape },
    handle: () => probeAnswer(views.readiness()),
  });
}

function metricsRoute(views: Pick<MountControlViews, 'metrics'>): Route {
  return route({
    method: 'GET',
    path: '/metrics',
    summary: "The metrics, in Prometheus' text format or as OpenMetrics",
    query: noQueryShape,
    answers: { 200: undefined },
    media: ['text/plain', 'application/openmetrics-text'],
    handle: async ({ headers }) => {
      const exposed = await views.metrics(prefersOpenMetrics(headers.accept));
      return { status: 200, ...exposed, headers: { Vary: 'Accept' } };
    },
  });
}

function probeAnswer(probe: Probe): Answer {
  return { status: probe.status === 'ok' ? 200 : 503, json: probe };
}

function gone(since: string | undefined, to: string): RefusedRequest {
  return new RefusedRequest(
    'generation-gone',
    since === undefined
      ? `The changes of generation ${to}, or what was before it, are no longer kept.`
      : `The changes from generation ${since} to ${to} are no longer kept.`,
    'GET /v1/generations lists what is kept.',
  );
}

/** Returns a page of the three lists joined: those of their paths that are on this page. */
function changesPage(
  { from, to, added, changed, removed }: Awaited<ReturnType<ControlViews['changes']>> & object,
  query: { readonly limit?: number | undefined; readonly after?: string | undefined },
): unknown {
  const { start, end, next } = stretchOf(added.length + changed.length + removed.length, query);
  let before = 0;
  const cut = (list: readonly string[]): readonly string[] => {
    const part = list.slice(Math.max(0, start - before), Math.max(0, end - before));
    before += list.length;
    return part;
  };
  return { from, to, added: cut(added), changed: cut(changed), removed: cut(removed), next };
}
