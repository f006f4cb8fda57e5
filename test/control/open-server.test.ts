import assert from 'node:assert/strict';
import { type AddressInfo, createConnection, type Socket } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { metricsRoutes } from '../../src/control/endpoints/endpoints.ts';
import { OpenServer, type OpenServerOptions } from '../../src/control/http/open-server.ts';
import type { ControlViews } from '../../src/control/views.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { waitFor } from '../support/wait-for.ts';
import { fakeViews } from './fixture.ts';

const GET = 'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n';
const log = new RecordingLog();

interface World {
  readonly server: OpenServer;
  now: number;
  /** How often the metrics were made. */
  made: number;
  connect(): Promise<Client>;
  ask(request: string): Promise<string>;
}

class Client {
  readonly socket: Socket;
  received = '';
  isClosed = false;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (bytes) => {
      this.received += bytes.toString('latin1');
    });
    socket
      .on('error', () => undefined)
      .on('close', () => {
        this.isClosed = true;
      });
  }
}

async function start(
  t: TestContext,
  limits: OpenServerOptions['limits'] = {},
  views: Partial<ControlViews> = {},
): Promise<World> {
  const metrics = async () => {
    world.made += 1;
    return { contentType: 'text/plain', text: `made ${world.made}\n` };
  };
  const routes = metricsRoutes(fakeViews({ metrics, ...views }));
  const server = new OpenServer({ routes, log, limits, now: () => world.now });
  await new Promise<void>((resolve) => server.server.listen(0, '127.0.0.1', resolve));
  const { port } = server.server.address() as AddressInfo;
  t.after(() => server.close());
  const connect = async (): Promise<Client> => {
    const socket = createConnection({ host: '127.0.0.1', port });
    await new Promise((resolve) => socket.once('connect', resolve));
    return new Client(socket);
  };
  const world: World = {
    server,
    now: 0,
    made: 0,
    connect,
    ask: async (request) => {
      const client = await connect();
      client.socket.write(request);
      await waitFor('the end of the connection', () => client.isClosed);
      return client.received;
    },
  };
  return world;
}

const answersIn = (text: string): number => text.split('HTTP/1.1 ').length - 1;

describe('what anybody may ask', () => {
  test('is answered once a connection, whatever is sent behind it', async (t) => {
    const world = await start(t);
    const answer = await world.ask(GET.repeat(2_000));
    assert.equal(answersIn(answer), 1);
    assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/);
    assert.match(answer, /\r\nConnection: close\r\n/);
    assert.equal(world.made, 1);
  });

  test('is made once a second, however many ask', async (t) => {
    const world = await start(t);
    const answers = await Promise.all(Array.from({ length: 20 }, () => world.ask(GET)));
    for (const answer of answers) assert.match(answer, /\r\n\r\nmade 1\n$/);
    world.now = 999;
    assert.match(await world.ask(GET), /made 1\n$/);
    world.now = 1_000;
    assert.match(await world.ask(GET), /made 2\n$/);
    assert.equal(world.made, 2);
  });

  test('is the metrics and the probes, by GET and HEAD, and in the format that is asked for', async (t) => {
    const world = await start(t);
    assert.match(await world.ask('HEAD /metrics HTTP/1.1\r\n\r\n'), /Content-Length: 7\r\n.*\r\n\r\n$/s);
    assert.match(await world.ask('GET /healthz HTTP/1.0\r\n\r\n'), /200 OK.*application\/json.*"ok"/s);
    assert.match(await world.ask('GET /readyz HTTP/1.1\r\n\r\n'), /200 OK/);
    const open = 'GET /metrics HTTP/1.1\r\nACCEPT: application/openmetrics-text;version=1.0.0\r\n\r\n';
    await world.ask(open);
    assert.equal(world.made, 2);
  });

  for (const [what, request, status] of [
    ['another path', 'GET /v1/status HTTP/1.1\r\n\r\n', 404],
    ['another method', 'POST /metrics HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc', 405],
    ['a parameter', 'GET /metrics?a=b HTTP/1.1\r\n\r\n', 400],
    ['a proxy', 'GET http://x/metrics HTTP/1.1\r\n\r\n', 400],
    ['what is no HTTP', '\x16\x03\x01\x02\r\n\r\n', 400],
    ['a head that does not end', `GET /metrics HTTP/1.1\r\nX: ${'y'.repeat(20_000)}`, 431],
  ] as const) {
    test(`is refused with ${status} of ${what}`, async (t) => {
      const world = await start(t);
      const answer = await world.ask(request);
      assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} [^]*application/problem\\+json[^]*"code":`));
      assert.equal(world.made, 0);
    });
  }

  test('goes on being answered behind silent clients, whose oldest go', async (t) => {
    const world = await start(t, { connections: 4, connectionsOfPeer: 3 });
    const silent: Client[] = [];
    for (let i = 0; i < 10; i++) silent.push(await world.connect());
    assert.match(await world.ask(GET), /made 1/);
    await waitFor('the oldest to go', () => silent.filter(({ isClosed }) => isClosed).length >= 8);
    assert.equal(silent.at(-1)?.isClosed, false);
  });

  test('is not kept for who takes or sends nothing for as long as a connection may last', async (t) => {
    const text = 'x'.repeat(64 * 2 ** 20);
    const world = await start(
      t,
      { connectionMs: 300 },
      { metrics: async () => ({ contentType: 'text/plain', text }) },
    );
    const slow = await world.connect();
    slow.socket.pause();
    slow.socket.write(GET);
    const silent = await world.connect();
    await waitFor('both to be let go', async () => {
      const connections = await new Promise((resolve) =>
        world.server.server.getConnections((_, count) => resolve(count)),
      );
      return connections === 0;
    });
    slow.socket.destroy();
    await waitFor('the silent one to see it', () => silent.isClosed);
  });

  test('is an error where it cannot be made, and is tried again a second later', async (t) => {
    let fails = true;
    const metrics = async () => {
      if (fails) throw new Error('no');
      return { contentType: 'text/plain', text: 'made' };
    };
    const world = await start(t, {}, { metrics });
    assert.match(await world.ask(GET), /^HTTP\/1\.1 500 /);
    fails = false;
    assert.match(await world.ask(GET), /^HTTP\/1\.1 500 /);
    world.now = 1_000;
    assert.match(await world.ask(GET), /^HTTP\/1\.1 200 /);
  });
});
