import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as z from 'zod/mini';
import { type ServerSentEvent, serverSentEvents } from '../../src/control/http/event-stream.ts';
import { type DaemonEvent, eventShape } from '../../src/control/shapes/events.ts';
import { generation, held, statusOf } from '../control/fixture.ts';
import { startChild } from '../support/child.ts';
import { cli } from '../support/mount.ts';
import { type Cleanup, defer } from '../support/temporary.ts';
import { type Answering, fakeDaemon } from './fake-daemon.ts';
import { ran, recordingOutput } from './recorded-shell.ts';

const at = '2026-01-01T00:00:00.000Z';
const error = { code: 'unreachable', message: 'No\nroute.', detail: null, hint: null, at };

const events: readonly DaemonEvent[] = [
  { id: '1', at, type: 'generation', generation, added: 1, changed: 2, removed: 0 },
  { id: '2', at, type: 'held', held },
  { id: '3', at, type: 'source-error', error },
  { id: '4', at: '2026-01-01T00:01:00.000Z', type: 'source-recovered', failures: 3, failingSince: at },
  { id: '5', at, type: 'cache-error', code: 'corrupt', detail: 'a.py' },
  { id: '6', at, type: 'restart', restarts: 2, reason: 'killed by signal 9' },
  { id: '7', at, type: 'source-slow', since: at },
].map((event) => z.parse(eventShape, event));

function written(event: DaemonEvent): string {
  return `id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}

/** Runs `events` until it has printed this many lines, as head(1) would end it. */
async function followed(test: Cleanup, lines: number, answer: Answering, ...args: string[]) {
  const daemon = await fakeDaemon(test, { 'GET /v1/status': () => statusOf(), 'GET /v1/events': answer });
  const lost = new AbortController();
  let out = '';
  const output = recordingOutput(
    (text) => {
      out += text;
      if (out.split('\n').length > lines) lost.abort();
    },
    { lost: lost.signal },
  );
  const told = await ran(['events', ...args, '--socket', daemon.socket], { out: output });
  return { ...told, out, asked: daemon.asked };
}

async function parsed(chunks: readonly string[]): Promise<readonly ServerSentEvent[]> {
  async function* bytes() {
    for (const chunk of chunks) yield Buffer.from(chunk, 'latin1');
  }
  const found: ServerSentEvent[] = [];
  for await (const event of serverSentEvents(bytes())) found.push(event);
  return found;
}

describe('a stream of server-sent events', () => {
  test('is read wherever its bytes are cut, and whatever ends its lines', async () => {
    const text =
      'retry: 10\n: alive\n\nid: 7\r\nevent: held\r\ndata: {"a":1,\r\ndata:  "é"}\r\n\r\ndata\rid\r\r\nid: 8\n\n';
    const whole = Buffer.from(text).toString('latin1');
    const expected = [
      { id: '7', type: 'held', data: '{"a":1,\n "é"}' },
      { id: '', type: 'message', data: '' },
    ];
    assert.deepEqual(await parsed([whole]), expected);
    assert.deepEqual(await parsed([...whole]), expected);
    for (let cut = 0; cut <= whole.length; cut += 1) {
      assert.deepEqual(await parsed([whole.slice(0, cut), whole.slice(cut)]), expected);
    }
  });

  test('is given up where an event has no end', async () => {
    const endless = Array.from({ length: 40 }, () => 'x'.repeat(32 * 1024));
    await assert.rejects(parsed(endless), RangeError);
  });
});

describe('events', () => {
  const all: Answering = (_, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    response.write(`: alive\n\n${events.map(written).join('')}`);
  };

  test('prints a line for each, or the object of each', async (t) => {
    const { exitCode, out, err } = await followed(t, events.length, all);
    assert.deepEqual([exitCode, err], [0, '']);
    const lines = out.split('\n');
    assert.match(
      lines[0] ?? '',
      new RegExp(`^${at} {2}generation +2 ${generation.id}: \\+1 ~2 -0, 3 files$`),
    );
    assert.match(lines[1] ?? '', /held +f{32}: mass-deletion, 9 files would be gone and 1 left$/);
    assert.match(lines[2] ?? '', /source-error +unreachable: No\\nroute\.$/);
    assert.match(lines[3] ?? '', /source-recovered +after 3 failures within 1 min$/);
    assert.match(lines[4] ?? '', /cache-error +corrupt: a\.py$/);
    assert.match(lines[5] ?? '', /restart +2 restarts: killed by signal 9$/);
    const json = await followed(t, events.length, all, '--json');
    const objects = json.out.trimEnd().split('\n');
    assert.deepEqual(
      objects.map((line) => JSON.parse(line) as unknown),
      events,
    );
  });

  test('goes on behind the last event where the stream breaks off', async (t) => {
    let turn = 0;
    const broken: Answering = (_, response) => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      const [first, second, third] = events.map(written);
      turn += 1;
      // The first stream breaks off in the middle of an event, the second one ends, the third one stays open.
      if (turn === 1) response.write(`${first}${second?.slice(0, 40)}`, () => response.destroy());
      else if (turn === 2) response.end(second);
      else response.write(third ?? '');
    };
    const { exitCode, out, err, asked } = await followed(t, 3, broken, '--json', '--after', '0');
    assert.equal(exitCode, 0);
    assert.deepEqual(
      out
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as DaemonEvent).id),
      ['1', '2', '3'],
    );
    assert.deepEqual(
      asked.map(({ headers }) => headers['last-event-id']),
      ['0', '1', '2'],
    );
    assert.match(err, /went away.*answers again/s);
  });

  test('says at once that no daemon answers, and after a minute that none came back', async (t) => {
    assert.equal((await ran(['events', '--socket', '/nowhere.sock'])).exitCode, 69);
    const gone = await fakeDaemon(t, {
      'GET /v1/events': (_, response) => {
        response.writeHead(200, { 'Content-Type': 'text/event-stream' });
        response.write(': alive\n\n', () => void gone.stop());
      },
    });
    const { exitCode, err } = await ran(['events', '--socket', gone.socket]);
    assert.equal(exitCode, 69);
    assert.match(err, /went away.*No daemon answers/s);
  });

  test('ends where nobody reads on', async (t) => {
    const { socket } = await fakeDaemon(t, {
      'GET /v1/events': (_, response) => {
        response.writeHead(200, { 'Content-Type': 'text/event-stream' });
        const timer = setInterval(() => response.write(events.map(written).join('')), 20);
        response.on('close', () => clearInterval(timer));
      },
    });
    const pipe = startChild('bash', [
      '-c',
      'set -o pipefail; "$0" "$1" events --json --socket "$2" | head -1',
      process.execPath,
      cli,
      socket,
    ]);
    defer(t, () => pipe.kill('SIGKILL'));
    assert.equal((await pipe.exit).code, 0, pipe.stderr());
    assert.equal(pipe.stdout(), `${JSON.stringify(events[0])}\n`);
  });

  test('follows one daemon', async () => {
    const two = await ran(['events', '--socket', '/a.sock', '--socket', '/b.sock']);
    assert.equal(two.exitCode, 64);
  });
});
