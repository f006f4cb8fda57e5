import { request } from 'node:http';
import * as z from 'zod/mini';
import { type DaemonEvent, eventShape } from '../../src/control/shapes/events.ts';
import { type Status, statusShape } from '../../src/control/shapes/status.ts';
import type { Mount } from './mount.ts';
import { TREE, testsTrees } from './shape.ts';
import { type Cleanup, defer } from './temporary.ts';

/** The text of an answer from a mount's control socket. */
export function ask(mount: Mount, path: string, body?: unknown): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        socketPath: mount.socket(),
        path,
        method: body === undefined ? 'GET' : 'POST',
        headers: { Host: 'x', 'Content-Type': 'application/json' },
        agent: false,
        signal: AbortSignal.timeout(60_000),
      },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (part: string) => {
          text += part;
        });
        answer.on('error', reject).on('end', () => resolve(text));
      },
    );
    asked.on('error', reject);
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

export async function statusOf(mount: Mount): Promise<Status> {
  const path = testsTrees ? `/v1/trees/${TREE}/status` : '/v1/status';
  return z.parse(statusShape, JSON.parse(await ask(mount, path)));
}

/** Values by name, with the labels as written; undefined for a metric that the mount does not expose. */
export async function metricsOf(mount: Mount): Promise<(name: string) => number | undefined> {
  const lines = (await ask(mount, '/metrics')).split('\n');
  const values = new Map(
    lines
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => {
        const space = line.lastIndexOf(' ');
        return [line.slice(0, space), Number(line.slice(space + 1))] as const;
      }),
  );
  return (name) => values.get(`dagmount_${name}`);
}

/** The events of a mount, from now on or after an event; the array grows until the server ends. */
export function eventsOf(test: Cleanup, mount: Mount, after?: string): readonly DaemonEvent[] {
  const events: DaemonEvent[] = [];
  const headers = { Host: 'x', ...(after !== undefined && { 'Last-Event-ID': after }) };
  const asked = request(
    { socketPath: mount.socket(), path: '/v1/events', headers, agent: false },
    (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (part: string) => {
        text += part;
        const blocks = text.split('\n\n');
        text = blocks.pop() ?? '';
        for (const block of blocks) {
          const data = /^data: (.*)$/m.exec(block)?.[1];
          if (data !== undefined) events.push(z.parse(eventShape, JSON.parse(data)));
        }
      });
      answer.on('error', () => undefined);
    },
  );
  asked.on('error', () => undefined);
  asked.end();
  defer(test, () => {
    asked.destroy();
  });
  return events;
}
