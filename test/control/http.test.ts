import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { waitFor } from '../support/wait-for.ts';
import { exchange, type RawConnection, TestServer } from './fixture.ts';

const limits = { headMs: 200, requestMs: 300 };

describe('a request', () => {
  test('for what is not there is 404', async (t) => {
    const server = await TestServer.start(t);
    for (const path of [
      '/',
      '/v1',
      '/v1/',
      '/v1/status/',
      '/v2/status',
      '/v1//status',
      '/v1/generations//changes',
      '/v1/%73tatus/x',
      '/v1/../v1/status',
    ]) {
      const { status, json } = await server.ask(path);
      assert.deepEqual([status, json.code], [404, 'not-found'], path);
    }
    assert.equal((await server.ask('/v1/%73tatus')).status, 200);
  });

  test('by a method that is not known there is 405 and says which are', async (t) => {
    const server = await TestServer.start(t);
    for (const [method, path, allow] of [
      ['POST', '/v1/status', 'GET, HEAD'],
      ['DELETE', '/metrics', 'GET, HEAD'],
      ['GET', '/v1/refresh', 'POST'],
      ['OPTIONS', '/v1/accept', 'POST'],
    ] as const) {
      const { status, json, headers } = await server.ask(path, { method });
      assert.deepEqual([status, json.code, headers.allow], [405, 'method-not-allowed', allow]);
    }
  });

  test('by HEAD is answered as by GET, without the body', async (t) => {
    const server = await TestServer.start(t);
    const got = await server.ask('/v1/status');
    const { status, headers, text } = await server.ask('/v1/status', { method: 'HEAD' });
    assert.deepEqual([status, text, headers['content-length']], [200, '', got.headers['content-length']]);
  });

  test('whose address cannot be decoded is 400', async (t) => {
    const server = await TestServer.start(t);
    for (const path of ['/v1/%zz', '/v1/%ff']) {
      const { status, json } = await server.ask(path);
      assert.deepEqual([status, json.code], [400, 'malformed-request']);
    }
  });

  test('with a body that is no JSON, of another type or too large is refused', async (t) => {
    const server = await TestServer.start(t);
    const post = (body: string | Uint8Array, type?: string) =>
      server.ask('/v1/refresh', {
        method: 'POST',
        body,
        headers: type === undefined ? {} : { 'Content-Type': type },
      });
    const json = 'application/json';
    for (const [answered, status, code] of [
      [await post('{', json), 400, 'bad-body'],
      [await post('[]', json), 400, 'bad-body'],
      [await post('null', json), 400, 'bad-body'],
      [await post(new Uint8Array([0x22, 0xff, 0x22]), json), 400, 'bad-body'],
      [await post('{"wait":"yes"}', json), 400, 'bad-body'],
      [await post('{"wiat":true}', json), 400, 'bad-body'],
      [await post('{"wait":true,"timeoutSeconds":0}', json), 400, 'bad-body'],
      [await post('{"wait":true}', 'application/x-www-form-urlencoded'), 415, 'unsupported-media-type'],
      [await post('{"wait":true}'), 415, 'unsupported-media-type'],
      [await post('{}', 'Application/JSON; charset=utf-8'), 202, undefined],
    ] as const) {
      assert.deepEqual([answered.status, answered.json.code], [status, code]);
    }
  });

  test('with a body that is too large is refused, before it was read where it is far too large', async (t) => {
    const server = await TestServer.start(t);
    const named = await server.connect();
    named.send('POST /v1/refresh HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n');
    assert.match(await named.all(), /^HTTP\/1\.1 413 .*"code":"body-too-large"/s);
    const unnamed = await server.connect();
    unnamed.send('POST /v1/refresh HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n');
    for (let sent = 0; sent < 5; sent++) unnamed.send(`40000\r\n${'x'.repeat(0x40000)}\r\n`);
    unnamed.send('0\r\n\r\n');
    assert.match(await unnamed.all(), /^HTTP\/1\.1 413 /);
  });

  test('that fails unforeseen is 500, says nothing of why, and is logged', async (t) => {
    const server = await TestServer.start(t, {
      status: () => {
        throw new Error('secret');
      },
    });
    const { status, json, text } = await server.ask('/v1/status');
    assert.deepEqual([status, json.code], [500, 'internal']);
    assert.doesNotMatch(text, /secret/);
    assert.equal(server.logged.length, 1);
  });
});

describe('what is no HTTP', () => {
  const malformed: Readonly<Record<string, string>> = {
    'a line of garbage': 'hello\r\n\r\n',
    'a TLS hello': '\u0016\u0003\u0001\u0000\u0005\r\n\r\n',
    'HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'a header without a colon': 'GET /v1/status HTTP/1.1\r\nHost x\r\n\r\n',
    'two lengths': 'POST /v1/refresh HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx',
    'a length and chunks':
      'POST /v1/refresh HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'a NUL in the address': 'GET /v1/\0 HTTP/1.1\r\nHost: x\r\n\r\n',
  };
  for (const [name, text] of Object.entries(malformed)) {
    test(`(${name}) is 400, and the connection ends`, async (t) => {
      const server = await TestServer.start(t);
      const connection = await server.connect();
      connection.send(text);
      assert.match(await connection.all(), /^HTTP\/1\.1 400 /);
      assert.equal((await server.ask('/v1/status')).status, 200);
    });
  }

  test('a request without a host, or to another address form, is 400', async (t) => {
    const server = await TestServer.start(t);
    for (const text of [
      'GET /v1/status HTTP/1.1\r\nConnection: close\r\n\r\n',
      'GET http://x/v1/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    ]) {
      const connection = await server.connect();
      connection.send(text);
      assert.match(await connection.all(), /^HTTP\/1\.1 400 .*"code":"malformed-request"/s);
    }
  });

  test('a head that is too long is 431', async (t) => {
    const server = await TestServer.start(t);
    const connection = await server.connect();
    connection.send(`GET /v1/status HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`);
    assert.match(await connection.all(), /^HTTP\/1\.1 431 .*"code":"headers-too-large"/s);
  });
});

describe('a slow client', () => {
  for (const [name, text] of [
    ['that sends nothing', ''],
    ['that never ends its head', 'GET /v1/status HTTP/1.1\r\nHost: x\r\nX: '],
    ['that never ends its body', 'POST /v1/refresh HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n{'],
  ] as const) {
    test(`${name} is let go, with 408`, async (t) => {
      const server = await TestServer.start(t, {}, { limits });
      const connection = await server.connect();
      connection.send(text);
      assert.match(await connection.all(), /^(HTTP\/1\.1 408 .*"code":"request-timeout".*)?$/s);
    });
  }

  test('that takes nothing of its answer is let go', async (t) => {
    const items = Array.from({ length: 10_000 }, (_, at) => ({
      key: `${at}`.repeat(200),
      reason: 'nul',
      detail: '',
    }));
    items.sort((one, other) => (one.key < other.key ? -1 : 1));
    const server = await TestServer.start(t, { problems: () => items }, { limits: { answerMs: 200 } });
    const connection = await server.connect();
    connection.socket.pause();
    connection.send('GET /v1/problems?limit=10000 HTTP/1.1\r\nHost: x\r\n\r\n');
    await waitFor('the connection to be cut', () => {
      connection.send('x');
      return connection.socket.destroyed;
    });
    assert.equal((await server.ask('/v1/status')).status, 200);
  });

  test('and a crowd of idle ones keep nobody out', async (t) => {
    const server = await TestServer.start(t, {}, { limits: { connections: 8 } });
    const idle = await Promise.all(Array.from({ length: 100 }, () => server.connect()));
    for (let i = 0; i < 20; i++) assert.equal((await server.ask('/v1/status')).status, 200);
    await waitFor('all but a few to be cut', () => idle.filter(({ socket }) => !socket.destroyed).length < 8);
    for (const { socket } of idle) socket.destroy();
  });

  test('does not lose its place while it waits for an answer', async (t) => {
    let answer: () => void = () => undefined;
    const asked = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const server = await TestServer.start(
      t,
      {
        health: async () => {
          await asked;
          return { status: 'ok', reasons: [] };
        },
      },
      { limits: { connections: 4 } },
    );
    const waiting = server.ask('/v1/health');
    const idle: RawConnection[] = [];
    for (let i = 0; i < 20; i++) idle.push(await server.connect());
    answer();
    assert.equal((await waiting).status, 200);
    for (const { socket } of idle) socket.destroy();
  });
});

describe('the TCP address', () => {
  test('answers metrics and probes, and nothing else', async (t) => {
    const server = await TestServer.start(t, {}, { metrics: { host: '127.0.0.1', port: 0 } });
    const ask = (path: string, method = 'GET') =>
      exchange({ host: '127.0.0.1', port: server.metricsPort as number }, path, { method });
    for (const path of ['/metrics', '/healthz', '/readyz']) assert.equal((await ask(path)).status, 200);
    for (const path of ['/v1/status', '/v1/problems', '/v1/generations', '/'])
      assert.equal((await ask(path)).status, 404);
    assert.equal((await ask('/v1/refresh', 'POST')).status, 404);
    assert.equal((await ask('/metrics', 'POST')).status, 405);
  });

  test('that is taken is said, and leaves no socket', async (t) => {
    const server = await TestServer.start(t, {}, { metrics: { host: '127.0.0.1', port: 0 } });
    const metrics = { host: '127.0.0.1', port: server.metricsPort as number };
    await assert.rejects(TestServer.start(t, {}, { metrics }), { code: 'address-in-use' });
  });
});

test('a server that closes lets what is under way end, and takes its socket away', async (t) => {
  let answer: () => void = () => undefined;
  const asked = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const server = await TestServer.start(t, {
    health: async () => {
      await asked;
      return { status: 'ok', reasons: [] };
    },
  });
  const waiting = server.ask('/v1/health');
  await waitFor('the request to arrive', async () => (await server.ask('/v1/status')).status === 200);
  const closed = server.close();
  answer();
  assert.equal((await waiting).status, 200);
  await closed;
  await assert.rejects(server.ask('/v1/status'), { code: 'ENOENT' });
});
