import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { createSecureContext } from 'node:tls';
import { DirectClient, type DirectClientOptions } from '../../src/store/http/direct/direct-client.ts';
import { exchange } from '../../src/store/http/exchange.ts';
import { Stopper } from '../../src/store/stop.ts';
import { makeCertificates } from '../support/certificates.ts';
import { type Cleanup, defer, temporaryDirectory } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';
import { ByteServer, type Sent } from './byte-server.ts';
import { ask, codeOf } from './dispatching.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

interface Started {
  readonly server: ByteServer;
  readonly client: DirectClient;
}

function clientFor(t: Cleanup, origin: string, options: Partial<DirectClientOptions> = {}): DirectClient {
  const client = new DirectClient(origin, {
    connections: 8,
    connectTimeout: 5000,
    secureContext: () => createSecureContext(),
    ...options,
  });
  defer(t, () => client.destroy());
  return client;
}

/** A client of a server that gives each request the same answer, or one by its index. */
async function started(
  t: Cleanup,
  answer: readonly Sent[] | ((index: number) => readonly Sent[]),
  options: Partial<DirectClientOptions> = {},
): Promise<Started> {
  const server = await ByteServer.start(t, typeof answer === 'function' ? answer : () => answer);
  return { server, client: clientFor(t, server.origin, options) };
}

async function textOf({ server, client }: Started): Promise<string> {
  return String((await ask(client, server.origin)).body);
}

describe('an answer', () => {
  const whole: readonly (readonly [name: string, answer: readonly Sent[], body: string])[] = [
    ['with a length', [OK], 'ok'],
    ['a byte at a time', [...OK], 'ok'],
    [
      'with chunks',
      ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n'],
      'ok',
    ],
    [
      'with chunks a byte at a time, extensions and trailers',
      [
        ...'HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n01;a="b"\r\no\r\n1\r\nk\r\n0\r\nX-Sum: 1\r\n\r\n',
      ],
      'ok',
    ],
    ['that ends with the connection', ['HTTP/1.1 200 OK\r\n\r\n', 'ok', 'CLOSE'], 'ok'],
    ['of HTTP/1.0 that ends with the connection', ['HTTP/1.0 200 OK\r\n\r\nok', 'CLOSE'], 'ok'],
    [
      'after interim ones',
      ['HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: </x>\r\n\r\n', OK],
      'ok',
    ],
    ['without a reason', ['HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok'], 'ok'],
    ['204 without a length', ['HTTP/1.1 204 No Content\r\n\r\n'], ''],
    ['304 with the length of what it does not send', ['HTTP/1.1 304 Not\r\nContent-Length: 9\r\n\r\n'], ''],
    ['of no bytes', ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'], ''],
  ];
  for (const [name, answer, body] of whole) {
    test(`${name} is read to its end`, async (t) => {
      assert.equal(await textOf(await started(t, answer)), body);
    });
  }

  test('to HEAD has no body, whatever length it tells', async (t) => {
    const { server, client } = await started(t, ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n']);
    for (let i = 0; i < 2; i++) {
      const { headers, body } = await ask(client, server.origin, { method: 'HEAD' });
      assert.equal(headers['content-length'], '5');
      assert.equal(body.length, 0);
    }
    assert.equal(server.accepted, 1);
  });

  test('has the names of its headers in lower case, and all values of a repeated one', async (t) => {
    const head =
      'HTTP/1.1 200 OK\r\nX-A:  one \t\r\nx-a: two\r\n__proto__: p\r\nConstructor: c\r\nETag: "\u00c3\u00a0';
    const { server, client } = await started(t, [
      Buffer.from(`${head}\r\nContent-Length: 0\r\n\r\n`, 'latin1'),
    ]);
    const { headers } = await ask(client, server.origin);
    assert.deepEqual(headers['x-a'], ['one', 'two']);
    assert.equal(headers.etag, '"\u00c3\u00a0');
    assert.equal(Object.getOwnPropertyDescriptor(headers, '__proto__')?.value, 'p');
    assert.equal(headers.constructor, 'c');
  });

  test('of many pieces is read as fast as it is wanted', async (t) => {
    const piece = Buffer.alloc(100_000, 'x');
    const { server, client } = await started(t, [
      'HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n',
      ...Array.from({ length: 50 }, () => piece),
    ]);
    const sent = { method: 'GET', origin: server.origin, path: '/', headers: {} } as const;
    const times = { headersTimeout: 20_000, bodyTimeout: 20_000 };
    let length = 0;
    for (let round = 0; round < 2; round++) {
      const { body } = await exchange(client, { ...sent, ...times }, new Stopper());
      for await (const bytes of body) {
        length += bytes.length;
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    assert.equal(length, 10_000_000);
    assert.equal(server.accepted, 1);
  });
});

describe('what is not an answer', () => {
  const long = 'x'.repeat(20_000);
  const bad: readonly (readonly [name: string, answer: readonly Sent[]])[] = [
    ['another protocol', ['SSH-2.0-OpenSSH_9.2\r\n']],
    ['an alert of TLS', [Buffer.from([21, 3, 1, 0, 2, 2, 70])]],
    ['HTTP/2', ['HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n']],
    ['HTTP/0.9', ['<html></html>']],
    ['a status of four digits', ['HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n']],
    ['a status below 100', ['HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n']],
    ['a change of protocol', ['HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n']],
    ['interim answers without end', [...Array.from({ length: 50 }, () => 'HTTP/1.1 103 Early\r\n\r\n')]],
    ['a head without end', [`HTTP/1.1 200 OK\r\nX: ${long}`]],
    ['a head that is too long', [`HTTP/1.1 200 OK\r\nX: ${long}\r\nContent-Length: 0\r\n\r\n`]],
    ['lines that end with a line feed', ['HTTP/1.1 200 OK\nContent-Length: 0\n\n']],
    ['half of a line break', ['HTTP/1.1 200 OK\r\nX: a\nY: b\r\nContent-Length: 0\r\n\r\n']],
    ['a carriage return in a value', ['HTTP/1.1 200 OK\r\nX: a\rb\r\nContent-Length: 0\r\n\r\n']],
    ['a line that continues another', ['HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n']],
    ['a NUL', ['HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n']],
    ['a header without a colon', ['HTTP/1.1 200 OK\r\nX\r\nContent-Length: 0\r\n\r\n']],
    ['a header without a name', ['HTTP/1.1 200 OK\r\n: x\r\nContent-Length: 0\r\n\r\n']],
    ['a blank before the colon', ['HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n']],
    ['two lengths', ['HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok']],
    ['a list of lengths', ['HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok']],
    ['a negative length', ['HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nok']],
    ['a length with a sign', ['HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok']],
    ['a hexadecimal length', ['HTTP/1.1 200 OK\r\nContent-Length: 0x2\r\n\r\nok']],
    ['an endless length', [`HTTP/1.1 200 OK\r\nContent-Length: ${'9'.repeat(30)}\r\n\r\nok`]],
    ['an empty length', ['HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\nok']],
    [
      'a length and chunks',
      ['HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n'],
    ],
    ['an unknown encoding', ['HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nok', 'CLOSE']],
    ['chunks twice', ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n']],
    ['a chunk without a size', ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\nok\r\n']],
    ['a chunk of a negative size', ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-2\r\nok\r\n']],
    [
      'a chunk of an endless size',
      [`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${'f'.repeat(20)}\r\n`],
    ],
    [
      'a chunk longer than its size',
      ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nok\r\n0\r\n\r\n'],
    ],
    [
      'a chunk after a line feed alone',
      ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\nok\r\n0\r\n\r\n'],
    ],
    ['an extension without end', [`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;${long}`]],
    ['a trailer that is none', ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nx\r\n\r\n']],
    [
      'trailers without end',
      [
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n',
        ...Array.from({ length: 200 }, (_, i) => `X-${i}: ${'y'.repeat(200)}\r\n`),
      ],
    ],
  ];
  for (const [name, answer] of bad) {
    test(`${name} is refused, and the next request has a connection of its own`, async (t) => {
      const { server, client } = await started(t, (index) => (index === 0 ? answer : [OK]));
      assert.equal(await codeOf(ask(client, server.origin)), 'EBADMSG');
      assert.equal(String((await ask(client, server.origin)).body), 'ok');
      assert.equal(server.accepted, 2);
    });
  }

  const broken: readonly (readonly [name: string, answer: readonly Sent[]])[] = [
    ['no answer', ['CLOSE']],
    ['half a head', ['HTTP/1.1 200 OK\r\nContent-', 'CLOSE']],
    ['half a body', ['HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok', 'CLOSE']],
    ['half a chunk', ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nok', 'CLOSE']],
    [
      'chunks without the last one',
      ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n', 'CLOSE'],
    ],
    ['a connection that is torn down', ['HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok', 'RESET']],
  ];
  for (const [name, answer] of broken) {
    test(`${name} is a closed connection`, async (t) => {
      const { server, client } = await started(t, (index) => (index === 0 ? answer : [OK]));
      assert.equal(await codeOf(ask(client, server.origin)), 'ECONNRESET');
      assert.equal(String((await ask(client, server.origin)).body), 'ok');
    });
  }
});

describe('a connection', () => {
  test('carries one request after the other', async (t) => {
    const { server, client } = await started(t, [OK]);
    for (let i = 0; i < 20; i++) await ask(client, server.origin);
    assert.equal(server.accepted, 1);
  });

  test('is one of at most so many, and who has to wait is served in turn', async (t) => {
    const { server, client } = await started(t, [OK], { connections: 3 });
    const paths = Array.from({ length: 50 }, (_, i) => `/${i}`);
    await Promise.all(paths.map((path) => ask(client, server.origin, { path })));
    assert.ok(server.accepted <= 3);
    assert.equal(server.requests.length, 50);
    assert.match(server.requests.at(-1)!, /^GET \/4[789] /);
  });

  const last: readonly (readonly [name: string, answer: string])[] = [
    [
      'after Connection: close',
      'HTTP/1.1 200 OK\r\nConnection: Keep-Alive, Close\r\nContent-Length: 2\r\n\r\nok',
    ],
    ['after an answer of HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok'],
    [
      'that the server keeps for a second',
      'HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\nContent-Length: 2\r\n\r\nok',
    ],
    ['with more bytes than its answer', `${OK}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`],
  ];
  for (const [name, answer] of last) {
    test(`${name} is not used again`, async (t) => {
      const { server, client } = await started(t, [answer]);
      for (let i = 0; i < 3; i++) assert.equal(String((await ask(client, server.origin)).body), 'ok');
      assert.equal(server.accepted, 3);
      await waitFor('the connections to be closed', () => server.open === 0);
    });
  }

  test('with more bytes than its answer gives them to no request that waits', async (t) => {
    const { server, client } = await started(t, [`${OK}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`], {
      connections: 1,
    });
    const answers = await Promise.all(Array.from({ length: 5 }, () => ask(client, server.origin)));
    assert.deepEqual(new Set(answers.map(({ body }) => String(body))), new Set(['ok']));
  });

  test('that the server closes while it is unused is replaced', async (t) => {
    const { server, client } = await started(t, [OK, 'CLOSE']);
    await ask(client, server.origin);
    await waitFor('the connections to be closed', () => server.open === 0);
    await ask(client, server.origin);
    assert.equal(server.accepted, 2);
  });

  test('is ended with its request, and who waits gets another one', async (t) => {
    const { server, client } = await started(t, (index) => (index === 0 ? [] : [OK]), { connections: 1 });
    const stop = new Stopper();
    const times = { headersTimeout: 20_000, bodyTimeout: 20_000 };
    const sent = { method: 'GET', origin: server.origin, path: '/', headers: {}, ...times } as const;
    const first = exchange(client, sent, stop);
    const second = ask(client, server.origin);
    await waitFor('the request', () => server.requests.length === 1);
    stop.abort(new Error('not wanted'));
    await assert.rejects(first, /not wanted/);
    assert.equal(String((await second).body), 'ok');
    assert.equal(server.accepted, 2);
  });

  test('to nowhere fails each request that waits, and none for ever', async (t) => {
    const server = await ByteServer.start(t, () => [OK]);
    const { origin } = server;
    const client = clientFor(t, 'http://127.0.0.1:1', { connections: 2 });
    const codes = await Promise.all(Array.from({ length: 9 }, () => codeOf(ask(client, origin))));
    assert.deepEqual(new Set(codes), new Set(['ECONNREFUSED']));
  });
});

describe('a time limit', () => {
  const soon = { headersTimeout: 50, bodyTimeout: 50 };
  const late: readonly (readonly [name: string, answer: readonly Sent[]])[] = [
    ['for the head', []],
    ['for the rest of the head', ['HTTP/1.1 200 OK\r\n']],
    ['for the body', ['HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n']],
    ['for the rest of the body', ['HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no']],
    ['for the next chunk', ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n']],
  ];
  for (const [name, answer] of late) {
    test(`${name} ends the request and its connection`, async (t) => {
      const { server, client } = await started(t, answer);
      assert.equal(await codeOf(ask(client, server.origin, soon)), 'ETIMEDOUT');
      await waitFor('the connections to be closed', () => server.open === 0);
    });
  }

  test('for the body does not pass while the reader has paused', async (t) => {
    const pieces = Array.from({ length: 20 }, () => Buffer.alloc(64 * 1024));
    const { server, client } = await started(t, [
      'HTTP/1.1 200 OK\r\nContent-Length: 1310720\r\n\r\n',
      ...pieces,
    ]);
    const sent = { method: 'GET', origin: server.origin, path: '/', headers: {} } as const;
    const { body } = await exchange(
      client,
      { ...sent, headersTimeout: 20_000, bodyTimeout: 100 },
      new Stopper(),
    );
    let length = 0;
    for await (const bytes of body) {
      if (length === 0) await new Promise((resolve) => setTimeout(resolve, 500));
      length += bytes.length;
    }
    assert.equal(length, 20 * 64 * 1024);
  });
});

describe('a request', () => {
  test('is sent as it is', async (t) => {
    const { server, client } = await started(t, [OK]);
    await ask(client, server.origin, {
      path: '/a%20b?c=d',
      headers: { host: 'store:1', 'x-a': 'b \t\u00e4' },
    });
    assert.equal(
      server.requests[0],
      'GET /a%20b?c=d HTTP/1.1\r\nhost: store:1\r\nx-a: b \t\u00e4\r\nconnection: keep-alive',
    );
  });

  for (const [name, request] of [
    ['a line break in a header', { headers: { host: 'a\r\nx-forged: 1' } }],
    ['a character of two bytes in a header', { headers: { host: 'a\u0141' } }],
    ['a blank in its path', { path: '/a HTTP/1.1' }],
    ['a line break in its path', { path: '/a\r\n' }],
  ] as const) {
    test(`with ${name} is not sent`, async (t) => {
      const { server, client } = await started(t, [OK]);
      assert.equal(await codeOf(ask(client, server.origin, request)), 'ERR_INVALID_CHAR');
      assert.equal(server.requests.length, 0);
      assert.equal(await codeOf(ask(client, server.origin)), 'it did not fail');
    });
  }

  test('fails when its client is destroyed, sent or waiting, and after that', async (t) => {
    const { server, client } = await started(t, [], { connections: 1 });
    const codes = [codeOf(ask(client, server.origin)), codeOf(ask(client, server.origin))];
    await waitFor('the request', () => server.requests.length === 1);
    await client.destroy();
    assert.deepEqual(await Promise.all(codes), ['ECANCELED', 'ECANCELED']);
    assert.equal(await codeOf(ask(client, server.origin)), 'ECANCELED');
    await waitFor('the connections to be closed', () => server.open === 0);
  });
});

describe('by TLS', () => {
  test('a session is resumed by the next connection, and the names of the certificate are checked', async (t) => {
    const { caFile, key, cert } = await certificates(t);
    const last = 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok';
    const server = await ByteServer.start(t, () => [last], { key, cert });
    const ca = await readFile(caFile, 'utf8');
    const secureContext = () => createSecureContext({ ca });
    const client = clientFor(t, `https://127.0.0.1:${server.port}`, { secureContext });
    for (let i = 0; i < 3; i++) assert.equal(String((await ask(client, 'x')).body), 'ok');
    const byName = clientFor(t, `https://localhost:${server.port}`, { secureContext });
    assert.equal(String((await ask(byName, 'x')).body), 'ok');
    const distrusting = clientFor(t, `https://127.0.0.1:${server.port}`);
    assert.notEqual(await codeOf(ask(distrusting, 'x')), 'it did not fail');
  });
});

async function certificates(t: Cleanup) {
  return makeCertificates(await temporaryDirectory(t));
}
