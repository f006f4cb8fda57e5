import type { EventFeed } from '../event-feed.ts';
import { noQueryShape } from '../shapes/status.ts';
import { type Route, route } from './route.ts';

const EVENT_STREAM = 'text/event-stream';

export function eventsRoute(feed: EventFeed): Route {
  return route({
    method: 'GET',
    path: '/v1/events',
    summary: 'The events of the daemon, as server-sent events; with Last-Event-ID also the missed ones',
    query: noQueryShape,
    answers: { 200: undefined },
    media: [EVENT_STREAM],
    handle: ({ headers, signal }) => {
      const lastId = headers['last-event-id'];
      const pieces = feed.listen(Array.isArray(lastId) ? lastId[0] : lastId, signal);
      return { status: 200, pieces, contentType: EVENT_STREAM };
    },
  });
}
