import { RefusedRequest } from '../refused-request.ts';
import type { Route } from './route.ts';

/** The beginning of a tree's routes, in place of /v1. */
export const TREE_ROUTES = '/v1/trees/{tree}';

/** The routes of each tree, in the same order for all of them. */
export interface RoutesOfTree {
  readonly path: string;
  readonly routes: readonly Route[];
}

/** Joins the routes of all trees in one table. A part of the address names the tree, with slashes as %2F. */
export function inTrees(trees: readonly RoutesOfTree[]): readonly Route[] {
  const [first] = trees;
  return (first?.routes ?? []).map((row, at) => ({
    ...row,
    path: row.path.replace('/v1', TREE_ROUTES),
    handle: (call) => {
      const { tree, ...parameters } = call.parameters;
      const meant = trees.find(({ path }) => path === tree)?.routes[at];
      if (meant === undefined) {
        throw new RefusedRequest(
          'not-found',
          `The mount has no tree ${tree}.`,
          `It has ${trees.map(({ path }) => path).join(', ')}.`,
        );
      }
      return meant.handle({ ...call, parameters });
    },
  }));
}
