import { RefusedRequest } from '../refused-request.ts';
import type { HeldView, Refreshed, RefreshRequest } from '../shapes/status.ts';
import {
  acceptedShape,
  acceptRequestShape,
  noQueryShape,
  refreshedShape,
  refreshRequestShape,
} from '../shapes/status.ts';
import { sourceRefusal } from '../source-refusal.ts';
import type { TreeControlViews } from '../views.ts';
import { type Route, route } from './route.ts';

const DEFAULT_TIMEOUT_SECONDS = 60;

export function refreshRoute(views: TreeControlViews): Route {
  return route({
    method: 'POST',
    path: '/v1/refresh',
    summary: 'Checks the store now; with wait, answers when the kernel shows what was found',
    query: noQueryShape,
    body: refreshRequestShape,
    answers: { 200: refreshedShape, 202: refreshedShape },
    handle: async ({ body, signal }) => {
      const json = await refresh(views, body, signal);
      return { status: json.outcome === 'requested' ? 202 : 200, json };
    },
  });
}

/**
 * Makes a tree check its source. For a client that waits, resolves to the result, and throws RefusedRequest
 * if the check fails or takes too long, if the listing is held, or if no tree can be shown yet.
 */
export async function refresh(
  views: Pick<TreeControlViews, 'refresh' | 'status'>,
  body: RefreshRequest,
  signal: AbortSignal,
): Promise<Refreshed> {
  const { generation, source } = views.status();
  // Fails at once, because only a poll can show the first tree: nothing else would end this wait.
  if (body.wait === true && generation === null && source.lastError !== null) {
    const { code, message, hint } = source.lastError;
    throw sourceRefusal({ code, message: `No tree is shown yet. ${message}`, hint: hint ?? undefined });
  }
  const asked = views.refresh();
  if (body.wait !== true) {
    asked.catch(ignoreEnd);
    return { outcome: 'requested', generation };
  }
  const end = await inTime(asked, body.timeoutSeconds, signal);
  if (end.kind === 'failed') throw sourceRefusal(end.error);
  if (end.kind === 'held') {
    const { reason, detail, generation, hint, release } = end.held;
    throw new RefusedRequest(
      'held',
      `The newest ${release === undefined ? 'listing' : 'release'} is held (${reason}): ${detail}`,
      hint ?? `Accept it (POST /v1/accept, dagmount accept ${generation}), or put back what is missing.`,
      { members: { held: end.held } },
    );
  }
  return { outcome: end.kind, generation: end.generation };
}

export function acceptRoute(views: TreeControlViews): Route {
  return route({
    method: 'POST',
    path: '/v1/accept',
    summary: 'Publishes the held tree, if a fresh listing still has it',
    query: noQueryShape,
    body: acceptRequestShape,
    answers: { 200: acceptedShape },
    handle: async ({ body, signal }) => {
      const end = await inTime(views.accept(body.generation), body.timeoutSeconds, signal);
      switch (end.kind) {
        case 'accepted':
          return { status: 200, json: { generation: end.generation } };
        case 'nothing-held':
          throw new RefusedRequest('nothing-held', 'No listing is held.', 'There is nothing to be done.');
        case 'changed':
          if (end.held?.acceptable === false) throw notAcceptable(end.held);
          throw new RefusedRequest(
            'held-changed',
            end.held === undefined
              ? 'The listing passes again, or another was published: nothing is held any more.'
              : `What is held now is generation ${end.held.generation}: ${end.held.detail}`,
            'Look at GET /v1/status, and accept what is held there if it is what you want.',
            { members: { held: end.held ?? null } },
          );
        case 'failed':
          throw sourceRefusal(end.error);
        default:
          throw new Error(`unforeseen: ${JSON.stringify(end satisfies never)}`);
      }
    },
  });
}

/**
 * Creates the error for a held step or listing that cannot be accepted. For example, to accept a step without
 * an authorized signature would be to trust every writer to the bucket.
 */
function notAcceptable(held: HeldView): RefusedRequest {
  return new RefusedRequest(
    'not-acceptable',
    `What is held cannot be accepted (${held.reason}): ${held.detail}`,
    held.hint ?? 'Look at GET /v1/status for what to do.',
    { members: { held } },
  );
}

/**
 * Waits for the result until the time limit, or until the client is gone. The work continues after that,
 * because the next check of the store is useful anyway.
 */
function inTime<T>(asked: Promise<T>, timeoutSeconds: number | undefined, signal: AbortSignal): Promise<T> {
  const seconds = timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS;
  return new Promise((resolve, reject) => {
    const late = (): void => {
      reject(
        new RefusedRequest(
          'timed-out',
          `It is not done after ${seconds} s; the work continues.`,
          'Ask GET /v1/status how far it is, or wait longer.',
        ),
      );
    };
    const timer = setTimeout(late, seconds * 1000);
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', gone);
    };
    const gone = (): void => {
      done();
      reject(signal.reason);
    };
    signal.addEventListener('abort', gone, { once: true });
    asked.then(
      (end) => {
        done();
        resolve(end);
      },
      () => {
        done();
        reject(new RefusedRequest('stopping', 'The daemon is about to end.', 'Ask again once it runs.'));
      },
    );
  });
}

/**
 * Ignores the rejection of a refresh for which no client waits. Such a refresh rejects when the daemon ends.
 */
function ignoreEnd(): void {}
