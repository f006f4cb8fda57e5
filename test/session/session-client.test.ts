import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { SessionHost } from '../../src/session/driver.ts';
import type { FromSession, ToSession } from '../../src/session/messages.ts';
import { SessionClient } from '../../src/session/session-client.ts';
import type { SessionEnd } from '../../src/session/session-end.ts';
import type { Generation } from '../../src/tree/index.ts';

/** A session that answers nothing by itself, and ends when a test says so. */
class FakeHost implements SessionHost {
  readonly sent: ToSession['kind'][] = [];
  tell: (message: FromSession) => void = () => undefined;
  exit: (reason: string | undefined) => void = () => undefined;

  send({ kind }: ToSession): void {
    this.sent.push(kind);
  }

  onMessage(listener: (message: FromSession) => void): void {
    this.tell = listener;
  }

  onExit(listener: (reason: string | undefined) => void): void {
    this.exit = listener;
  }

  async terminate(): Promise<void> {
    this.exit(undefined);
  }
}

function setUp() {
  const host = new FakeHost();
  const ends: SessionEnd[] = [];
  const client = new SessionClient(host, {
    fetch: async () => ({ kind: 'error', failure: 'unavailable' }),
    fault: () => undefined,
    stuck: () => undefined,
    released: () => undefined,
    ended: (end) => ends.push(end),
  });
  return { host, client, ends };
}

type Start = Parameters<SessionClient['start']>[0];

const start: Start = {
  connection: { kind: 'device', fd: 41 },
  trees: [],
  presentation: { uid: 0, gid: 0, umask: 0o222 },
  cacheDirectory: '/cache',
};
const tree = {
  generation: { buffer: new SharedArrayBuffer(8) } as unknown as Generation,
  fingerprints: new BigUint64Array(new SharedArrayBuffer(8)),
  changes: {} as never,
};
const shown = { ...tree, generation: new SharedArrayBuffer(8), fingerprints: new SharedArrayBuffer(8) };
const since = { seconds: 0, nanoseconds: 0 };

/** All calls of a client that wait for an answer of the session. */
const calls: readonly (readonly [string, (client: SessionClient) => Promise<unknown>])[] = [
  ['a start', (client) => client.start(start)],
  ['a tree that is to be shown', (client) => client.show(0, { ...shown, since })],
  ['a publication', (client) => client.publish(0, tree)],
];

describe('a session that has ended', () => {
  for (const [end, ending] of [
    ['its thread or process is gone', (host: FakeHost) => host.exit('it was killed')],
    ['it has reported its end', (host: FakeHost) => host.tell({ kind: 'ended', end: { kind: 'closed' } })],
  ] as const) {
    for (const [call, ask] of calls) {
      test(`refuses ${call} that is asked for before or after the end, if ${end}`, async () => {
        const { host, client, ends } = setUp();
        const before = ask(client);
        ending(host);
        await assert.rejects(before, { code: 'session-failed' });
        const sent = host.sent.length;
        await assert.rejects(ask(client), { code: 'session-failed' });
        assert.equal(host.sent.length, sent, 'nothing is sent to it');
        assert.throws(() => client.throwIfEnded(), { code: 'session-failed' });
        assert.equal(ends.length, 1);
      });
    }
  }

  test('drops no version, and has counted nothing once it is gone', async () => {
    const { host, client } = setUp();
    const [dropping, counting] = [client.dropVersion('one', since), client.counters()];
    host.exit('it was killed');
    assert.equal(await dropping, false);
    assert.equal(await client.dropVersion('one', since), false);
    assert.deepEqual((await counting).opcodes, {});
    assert.deepEqual((await client.counters()).opcodes, {});
    await client.stop();
  });
});

test('a session that runs answers a start', async () => {
  const { host, client } = setUp();
  client.throwIfEnded();
  const serving = client.start(start);
  host.tell({ kind: 'serving', answeredMs: 0, init: undefined, takenOver: undefined });
  assert.equal((await serving).answeredMs, 0);
});
