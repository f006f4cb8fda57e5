import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { EntryItem } from '../../src/control/shapes/entries.ts';
import { waitFor } from '../support/wait-for.ts';
import { ID, type RawConnection, TestServer } from './fixture.ts';

const TIME = '2026-01-01T00:00:00.000Z';

function* manyItems(count: number): Generator<EntryItem> {
  for (let at = 0; at < count; at++) {
    const path = `dags/team/file_${at}.py`;
    yield {
      path,
      kind: 'file',
      size: at,
      etag: 'e'.repeat(32),
      mtime: TIME,
      executable: false,
      cached: true,
    };
  }
}

async function answerOf(connection: RawConnection, request: string): Promise<string> {
  connection.send(request);
  return await connection.all();
}

describe('GET /v1/entries', () => {
  test('passes on what is asked for, and answers 304 to who has this tree', async (t) => {
    const asked: unknown[] = [];
    const page = async (prefix: string, after: string | undefined, limit: number) => {
      asked.push([prefix, after, limit]);
      return { id: ID, items: manyItems(2), next: 'dags/team/file_1.py' };
    };
    const server = await TestServer.start(t, {}, { parts: { tree: { page } } });
    const { json, headers } = await server.ask('/v1/entries?prefix=dags%2F&after=dags/a&limit=2');
    assert.equal((json.items as unknown[]).length, 2);
    assert.equal(json.next, 'dags/team/file_1.py');
    assert.equal(headers.etag, `"${ID}"`);
    await server.ask('/v1/entries');
    assert.deepEqual(asked, [
      ['dags/', 'dags/a', 2],
      ['', undefined, 1000],
    ]);
    for (const tag of [`"${ID}"`, `W/"${ID}"`, `"other", "${ID}"`, '*']) {
      const { status, text } = await server.ask('/v1/entries', { headers: { 'If-None-Match': tag } });
      assert.deepEqual([status, text], [304, ''], tag);
    }
    assert.equal((await server.ask('/v1/entries', { headers: { 'If-None-Match': '"other"' } })).status, 200);
    const head = await server.ask('/v1/entries', { method: 'HEAD' });
    assert.deepEqual([head.status, head.text, head.headers.etag], [200, '', `"${ID}"`]);
  });

  test('is 503 before there is a tree', async (t) => {
    const tree = { id: () => undefined, page: async () => undefined, entry: async () => undefined };
    const server = await TestServer.start(t, {}, { parts: { tree } });
    for (const path of ['/v1/entries', '/v1/entries/a']) {
      const { status, json } = await server.ask(path);
      assert.deepEqual([status, json.code], [503, 'no-tree'], path);
    }
  });

  test('makes a page as fast as the client takes it', async (t) => {
    let made = 0;
    function* counted(): Generator<EntryItem> {
      for (const item of manyItems(500_000)) {
        made += 1;
        yield item;
      }
    }
    const tree = { page: async () => ({ id: ID, items: counted(), next: null }) };
    const server = await TestServer.start(t, {}, { parts: { tree } });
    const connection = await server.connect();
    connection.socket.pause();
    connection.send('GET /v1/entries HTTP/1.1\r\nHost: x\r\n\r\n');
    // The server makes items until the socket, the kernel's buffer and one piece are full.
    for (let before = -1; before !== made; ) {
      before = made;
      await server.ask('/v1/status');
      await server.ask('/v1/status');
    }
    assert.ok(made > 0 && made < 50_000, `${made} items were made`);
    connection.socket.destroy();
  });
});

describe('GET /v1/entries/{path}', () => {
  test('takes slashes plain and encoded, and any name that a path may have', async (t) => {
    const asked: string[] = [];
    const entry = async (path: string) => {
      asked.push(path);
      return { code: 'never-seen', detail: 'No.', hint: 'Look.' } as const;
    };
    const server = await TestServer.start(t, {}, { parts: { tree: { entry } } });
    for (const path of ['a/b.py', 'a%2Fb.py', 'a//b', 'a/', '%C3%A9', 'a%20%22b', '...', 'a%00b', '%2F']) {
      const { status, json } = await server.ask(`/v1/entries/${path}`);
      assert.deepEqual([status, json.code], [404, 'never-seen'], path);
    }
    assert.deepEqual(asked, ['a/b.py', 'a/b.py', 'a//b', 'a/', 'é', 'a "b', '...', 'a\0b', '/']);
    for (const path of ['.', '..', 'a/..', '%2E%2E/a', 'a%2F..']) {
      assert.equal((await server.ask(`/v1/entries/${path}`)).json.code, 'bad-parameter', path);
    }
    assert.equal((await server.ask('/v1/entries/%FF')).json.code, 'malformed-request');
    assert.equal((await server.ask('/v1/entries/')).json.code, 'not-found');
  });
});

describe('the cache, the log level and the configuration', () => {
  test('answer by path what was done, and log that it was asked', async (t) => {
    const server = await TestServer.start(t);
    for (const verb of ['evict', 'pin', 'unpin', 'prefetch']) {
      const { status, json } = await server.post(`/v1/cache/${verb}`, { paths: ['a', 'b/'] });
      assert.equal(status, 200);
      assert.deepEqual(
        (json.items as { path: string }[]).map(({ path }) => path),
        ['a', 'b/'],
      );
      for (const body of [{}, { paths: [] }, { paths: 'a' }, { paths: [1] }, { paths: ['a'], more: 1 }]) {
        assert.equal((await server.post(`/v1/cache/${verb}`, body)).status, 400, JSON.stringify(body));
      }
    }
    assert.equal((await server.post('/v1/cache/verify', {})).status, 200);
    assert.equal((await server.ask('/v1/cache')).status, 200);
    assert.equal((await server.ask('/v1/cache/blobs?limit=5&after=3')).status, 200);
    assert.equal((await server.ask('/v1/cache/blobs?after=x')).status, 400);
    assert.equal(server.logged.filter((event) => event === 'asked').length, 5);
  });

  test('set the level, of those that there are', async (t) => {
    const server = await TestServer.start(t);
    const put = (body: unknown) =>
      server.ask('/v1/log-level', {
        method: 'PUT',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
      });
    assert.deepEqual((await put({ level: 'debug' })).json, { level: 'debug', was: 'info' });
    for (const body of [{}, { level: 'loud' }, { level: 'info', for: 1 }]) {
      assert.equal((await put(body)).status, 400);
    }
    assert.equal((await server.ask('/v1/config')).status, 200);
  });
});

describe('what is odd in HTTP', () => {
  test('is answered with problem details: CONNECT, an expectation, a target that is no path', async (t) => {
    const server = await TestServer.start(t);
    for (const [request, status, code] of [
      ['CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n', 405, 'method-not-allowed'],
      ['GET /v1/status HTTP/1.1\r\nHost: x\r\nExpect: coffee\r\n\r\n', 417, 'expectation-failed'],
      ['OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', 400, 'malformed-request'],
      ['GET http://x/v1/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', 400, 'malformed-request'],
      ['GET /v1/status HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n', 400, 'malformed-request'],
      ['\x16\x03\x01\x02\x00\x01', 400, 'malformed-request'],
    ] as const) {
      const text = await answerOf(await server.connect(), request);
      assert.match(text, new RegExp(`^HTTP/1.1 ${status} `), request);
      assert.match(text, /content-type: application\/problem\+json/i, request);
      assert.equal((JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4)) as { code: string }).code, code);
    }
  });

  test('is answered so too behind a request on the same connection', async (t) => {
    const server = await TestServer.start(t);
    const connection = await server.connect();
    connection.send('HEAD /v1/status HTTP/1.1\r\nHost: x\r\n\r\n');
    await waitFor('the first answer', () => connection.received.endsWith('\r\n\r\n'));
    connection.send('nonsense\r\n\r\n');
    assert.match(await connection.all(), /^HTTP\/1.1 200 OK\r\n[^{]*HTTP\/1.1 400 .*"malformed-request"/s);
  });

  test('an Expect: 100-continue is answered with 100', async (t) => {
    const server = await TestServer.start(t);
    const connection = await server.connect();
    const body = '{"paths":["a"]}';
    const text = await answerOf(
      connection,
      `POST /v1/cache/evict HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
    );
    assert.match(text, /^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 OK/);
  });
});

describe('GET /v1/openapi.json', () => {
  test('describes every route with its parameters, bodies and answers', async (t) => {
    const server = await TestServer.start(t);
    const { json } = await server.ask('/v1/openapi.json');
    const paths = json.paths as Record<string, Record<string, Record<string, unknown>>>;
    assert.equal(json.openapi, '3.1.0');
    assert.deepEqual(
      Object.entries(paths)
        .flatMap(([path, of]) => Object.keys(of).map((method) => `${method} ${path}`))
        .sort(),
      [
        ...['status', 'health', 'ready', 'generations', 'generations/{id}/changes', 'problems', 'entries'],
        ...['entries/{path}', 'cache', 'cache/blobs', 'events', 'config', 'openapi.json'],
      ]
        .flatMap((path) => [`get /v1/${path}`, `head /v1/${path}`])
        .concat(
          'get /metrics',
          'head /metrics',
          'put /v1/log-level',
          'post /v1/refresh',
          'post /v1/accept',
          'post /v1/restart',
        )
        .concat(['evict', 'pin', 'unpin', 'prefetch', 'verify'].map((verb) => `post /v1/cache/${verb}`))
        .sort(),
    );
    const ids = Object.values(paths).flatMap((of) => Object.values(of).map(({ operationId }) => operationId));
    assert.equal(new Set(ids).size, ids.length);
    assert.ok(!JSON.stringify(json).includes('$schema'));
  });
});
