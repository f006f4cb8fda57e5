import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as z from 'zod/mini';
import { EventFeed, type EventFeedOptions, type NewEvent } from '../../src/control/event-feed.ts';
import { type DaemonEvent, eventShape } from '../../src/control/shapes/events.ts';
import { waitFor } from '../support/wait-for.ts';
import { TestServer } from './fixture.ts';

const trouble = (detail: string): NewEvent => ({ type: 'cache-error', code: 'corrupt', detail });

function feedOf(options: Partial<EventFeedOptions> = {}): EventFeed {
  return new EventFeed({ now: () => 0, epoch: 'e', ...options });
}

/** The events in a stream of them, each checked against its shape. */
function eventsIn(text: string): DaemonEvent[] {
  return text.split('\n\n').flatMap((block) => {
    const fields = new Map(
      block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
    );
    const data = fields.get('data');
    if (data === undefined) return [];
    const event = z.parse(eventShape, JSON.parse(data));
    assert.deepEqual([fields.get('id'), fields.get('event')], [event.id, event.type]);
    return [event];
  });
}

function idsIn(text: string): string[] {
  return eventsIn(text).map(({ id }) => id);
}

describe('GET /v1/events', () => {
  test('sends what happens from then on, and after a Last-Event-ID what was missed', async (t) => {
    const feed = feedOf();
    const server = await TestServer.start(t, {}, { parts: { events: feed } });
    for (const detail of ['one', 'two', 'three']) feed.emit(trouble(detail));
    const [fresh, late, first, unknown] = await Promise.all(
      ['', 'Last-Event-ID: e-2\r\n', 'Last-Event-ID: e-0\r\n', 'Last-Event-ID: other-7\r\n'].map(
        async (field) => {
          const connection = await server.connect();
          connection.send(`GET /v1/events HTTP/1.1\r\nHost: x\r\n${field}\r\n`);
          return connection;
        },
      ),
    );
    await waitFor('four listeners', () => feed.listeners === 4);
    feed.emit(trouble('four'));
    const listened = [fresh, late, first, unknown];
    await waitFor('the event', () => listened.every((each) => each?.received.includes('e-4')));
    const ids = listened.map((each) => idsIn(each?.received.split('\r\n').slice(1).join('\n') ?? ''));
    assert.deepEqual(ids, [
      ['e-4'],
      ['e-3', 'e-4'],
      ['e-1', 'e-2', 'e-3', 'e-4'],
      ['e-1', 'e-2', 'e-3', 'e-4'],
    ]);
    assert.match(fresh?.received ?? '', /content-type: text\/event-stream/i);
    fresh?.socket.destroy();
    await waitFor('the listener to be gone', () => feed.listeners === 3);
    await server.close();
    await Promise.all(listened.map((each) => each?.ended));
    assert.equal(feed.listeners, 0);
  });

  test('lets a listener go that is too slow, says so, and keeps nothing for it', async () => {
    const feed = feedOf({ remembered: 10 });
    const stream = feed.listen(undefined, new AbortController().signal)[Symbol.asyncIterator]();
    assert.match(String((await stream.next()).value), /^:/);
    for (let event = 0; event < 11; event++) feed.emit(trouble('x'));
    assert.match(String((await stream.next()).value), /^: too slow/);
    assert.equal((await stream.next()).done, true);
    assert.equal(feed.listeners, 0);
    // A listener that names the last event it saw gets all remembered events after it.
    const again = feed.listen('e-5', new AbortController().signal)[Symbol.asyncIterator]();
    await again.next();
    assert.deepEqual(idsIn(String((await again.next()).value)), ['e-6']);
    await again.return?.();
  });

  test('gives a sign of life where nothing happens', async () => {
    const feed = feedOf({ lifeMs: 1 });
    const stream = feed.listen(undefined, new AbortController().signal)[Symbol.asyncIterator]();
    await stream.next();
    assert.equal((await stream.next()).value, ':\n\n');
    await stream.return?.();
  });

  test('takes so many listeners and no more', async (t) => {
    const feed = feedOf({ listeners: 1 });
    const server = await TestServer.start(t, {}, { parts: { events: feed } });
    const first = await server.connect();
    first.send('GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n');
    await waitFor('a listener', () => feed.listeners === 1);
    const { status, json } = await server.ask('/v1/events');
    assert.deepEqual([status, json.code], [503, 'too-many-listeners']);
  });
});
