import { RefusedRequest } from '../refused-request.ts';
import { noQueryShape, restartedShape } from '../shapes/status.ts';
import type { MountControlViews } from '../views.ts';
import { type Route, route } from './route.ts';

export function restartRoute(views: MountControlViews): Route {
  return route({
    method: 'POST',
    path: '/v1/restart',
    summary: 'Starts another server, and ends this one when the other is ready',
    query: noQueryShape,
    answers: { 200: restartedShape },
    handle: async () => {
      const end = await views.restart();
      switch (end.kind) {
        case 'stands-by':
          return { status: 200, json: { pid: views.status().pid } };
        case 'dropped':
          throw new RefusedRequest(
            'restart-failed',
            `The new server did not become ready (${end.reason}); the old server continues.`,
            'The log says what the new one found wrong.',
          );
        case 'ends':
          throw new RefusedRequest(
            'stopping',
            'The mount was unmounted or told to end before a new server was ready.',
            'Mount again if it is still needed.',
          );
        case 'unsupervised':
          throw new RefusedRequest(
            'unsupervised',
            'This server has no supervisor that could start another one.',
            'Unmount, and mount again.',
          );
        default:
          throw new Error(`unforeseen: ${JSON.stringify(end satisfies never)}`);
      }
    },
  });
}
