import { type RefusalCode, RefusedRequest } from '../refused-request.ts';
import {
  noQueryShape,
  type RefreshedTree,
  refreshedTreesShape,
  refreshRequestShape,
} from '../shapes/status.ts';
import type { ControlledTree } from '../views.ts';
import { refresh } from './revalidations.ts';
import { type Route, route } from './route.ts';

/**
 * The codes with which a tree's refresh can fail, the worst first. The worst are those that no later attempt
 * repairs.
 */
const WORST_FIRST: readonly RefusalCode[] = [
  'internal',
  'state-dir-unwritable',
  'source-denied',
  'source-unreachable',
  'source-throttled',
  'held',
  'unsettled',
  'timed-out',
  'stopping',
];

/** Creates the route that makes all trees check their sources at the same time. */
export function refreshTreesRoute(trees: readonly Pick<ControlledTree, 'path' | 'views'>[]): Route {
  return route({
    method: 'POST',
    path: '/v1/refresh',
    summary:
      'Checks the sources of all trees now; with wait, answers when each tree shows what was found, or has failed',
    query: noQueryShape,
    body: refreshRequestShape,
    answers: { 200: refreshedTreesShape, 202: refreshedTreesShape },
    handle: async ({ body, signal }) => {
      const ends = await Promise.all(
        trees.map(async ({ path, views }): Promise<RefreshedTree | Failed> => {
          try {
            return { path, ...(await refresh(views, body, signal)) };
          } catch (error) {
            // Any other error means that the client is gone, or is a bug.
            if (!(error instanceof RefusedRequest)) throw error;
            return { refused: error, tree: failedTree(path, views.status().generation, error) };
          }
        }),
      );
      const json = { trees: ends.map((end) => ('refused' in end ? end.tree : end)) };
      const failed = ends.filter((end) => 'refused' in end);
      if (failed.length > 0) throw refusalOf(failed, json.trees);
      return { status: body.wait === true ? 200 : 202, json };
    },
  });
}

interface Failed {
  readonly refused: RefusedRequest;
  readonly tree: RefreshedTree;
}

function failedTree(
  path: string,
  generation: RefreshedTree['generation'],
  { details: { code, detail, hint } }: RefusedRequest,
): RefreshedTree {
  const error = { code, detail, ...(hint !== undefined && { hint }) };
  return { path, outcome: 'failed', generation, error };
}

/** Creates an error with the code of the worst failure, and with the outcome of every tree. */
function refusalOf(failed: readonly Failed[], trees: readonly RefreshedTree[]): RefusedRequest {
  const [worst] = failed.toSorted((one, other) => rankOf(one) - rankOf(other));
  const named = failed.map(({ tree, refused }) => `${tree.path} (${refused.code})`).join(', ');
  const { code, details } = worst!.refused;
  return new RefusedRequest(code, `Not refreshed: ${named}. ${details.detail}`, details.hint, {
    members: { trees },
  });
}

function rankOf({ refused }: Failed): number {
  const at = WORST_FIRST.indexOf(refused.code);
  return at === -1 ? WORST_FIRST.length : at;
}
