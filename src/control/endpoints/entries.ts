import { DEFAULT_LIMIT } from '../paging.ts';
import { RefusedRequest } from '../refused-request.ts';
import { entriesQueryShape, entriesShape, entryQueryShape, entryShape } from '../shapes/entries.ts';
import type { PageOfEntries, TreeViews } from '../tree-views.ts';
import { type Answer, type Call, type Route, route } from './route.ts';

/** The length of the text that is passed to the socket at a time. */
const PIECE_CHARACTERS = 64 * 1024;

export function entriesRoute(tree: TreeViews): Route {
  return route({
    method: 'GET',
    path: '/v1/entries',
    summary: 'The tree, in byte order of the paths',
    query: entriesQueryShape,
    answers: { 200: entriesShape, 304: undefined },
    handle: async ({ query, headers }) => {
      const { prefix = '', after, limit = DEFAULT_LIMIT, version } = query;
      const known = unchanged(tree.id(version), headers);
      if (known !== undefined) return known;
      const page = await tree.page(prefix, after, limit, version);
      if (page === undefined) throw noTree();
      const pieces = piecesOf(page);
      return { status: 200, pieces, contentType: 'application/json', headers: validator(page.id) };
    },
  });
}

export function entryRoute(tree: TreeViews): Route {
  return route({
    method: 'GET',
    path: '/v1/entries/{path...}',
    summary: 'Where a path comes from: its key, version, date, generation, and what the cache has of it',
    query: entryQueryShape,
    answers: { 200: entryShape, 304: undefined },
    handle: async ({ parameters, query, headers, signal }) => {
      const path = parameters.path as string;
      if (path.split('/').some((part) => part === '.' || part === '..')) {
        throw new RefusedRequest(
          'bad-parameter',
          'A path has no component that is "." or "..".',
          'Give the path below the prefix.',
          { members: { field: 'path' } },
        );
      }
      const found = await tree.entry(path, signal, query.version);
      if (found === undefined) throw noTree();
      if ('code' in found) {
        throw new RefusedRequest(found.code, found.detail, found.hint, { status: 404, members: { path } });
      }
      const { id } = found.generation;
      return unchanged(id, headers) ?? { status: 200, json: found, headers: validator(id) };
    },
  });
}

/**
 * Returns the headers that make clients revalidate each time. Clients then get a short answer if the tree is
 * unchanged.
 */
function validator(id: string): Readonly<Record<string, string>> {
  return { ETag: `"${id}"`, 'Cache-Control': 'no-cache' };
}

function unchanged(id: string | undefined, headers: Call<unknown, unknown>['headers']): Answer | undefined {
  const given = headers['if-none-match'];
  if (id === undefined || given === undefined) return undefined;
  const tags = given.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  const same = tags.includes('*') || tags.includes(`"${id}"`);
  return same ? { status: 304, empty: true, headers: validator(id) } : undefined;
}

function* piecesOf({ items, next, release }: PageOfEntries): Generator<string> {
  let piece = '{"items":[';
  let between = '';
  for (const item of items) {
    piece += between + JSON.stringify(item);
    between = ',';
    if (piece.length < PIECE_CHARACTERS) continue;
    yield piece;
    piece = '';
  }
  const by = release === undefined ? '' : `,"release":${JSON.stringify(release)}`;
  yield `${piece}],"next":${JSON.stringify(next)}${by}}`;
}

function noTree(): RefusedRequest {
  return new RefusedRequest('no-tree', 'No tree is shown yet.', 'GET /v1/ready says when there is one.');
}
