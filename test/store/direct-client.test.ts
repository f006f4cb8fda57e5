import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { createSecureContext } from 'node:tls';
import type { DirectClientOptions } from '../../src/store/http/direct/direct-client.ts';
import { exchange } from '../../src/store/http/exchange.ts';
import { Stopper } from '../../src/store/stop.ts';
import { makeCertificates } from '../support/certificates.ts';
import { type Cleanup, temporaryDirectory } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';
import { clientFor, OK, type Sent, started, startServer } from './direct-clients.ts';
import { ask, codeOf } from './dispatching.ts';

const EVIL = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil';

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
    ['with more bytes than its answer', `${OK}${EVIL}`],
  ];
  for (const [name, answer] of last) {
    test(`${name} is not used again`, async (t) => {
      const { server, client } = await started(t, [answer]);
      for (let i = 0; i < 3; i++) assert.equal(String((await ask(client, server.origin)).body), 'ok');
      assert.equal(server.accepted, 3);
      await waitFor('the connections to be closed', () => server.open === 0);
    });
  }

  const surplus: readonly (readonly [how: string, answer: string])[] = [
    ['at once', `${OK}${EVIL}`],
    ['after a whole record of TLS', `${okOf(16_384)}${EVIL}`],
    ['after a whole read, which libuv follows by another', `${okOf(65_536)}${EVIL}`],
  ];
  for (const [how, answer] of surplus) {
    for (const isSecure of [false, true]) {
      test(`by ${isSecure ? 'TLS' : 'TCP'} with more bytes than its answer, ${how}, gives them to no request that waits`, async (t) => {
        const { server, client } = isSecure
          ? await startedSecurely(t, () => [answer], { connections: 1 })
          : await started(t, [answer], { connections: 1 });
        const answers = await Promise.allSettled(Array.from({ length: 5 }, () => ask(client, server.origin)));
        for (const each of answers) {
          assert.ok(each.status === 'rejected' || String(each.value.body) !== 'evil');
        }
        assert.equal(answers[0]?.status, 'fulfilled');
      });
    }
  }

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
    const server = await startServer(t, () => [OK]);
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

  test('does not count a time in which this process stood still', async (t) => {
    const { server, client } = await started(t, [OK]);
    await ask(client, server.origin);
    const asking = ask(client, server.origin, { headersTimeout: 100 });
    const until = performance.now() + 600;
    while (performance.now() < until);
    assert.equal(String((await asking).body), 'ok');
    assert.equal(server.accepted, 1);
  });

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
    const last = 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok';
    const { server, client, secureContext } = await startedSecurely(t, () => [last]);
    for (let i = 0; i < 3; i++) assert.equal(String((await ask(client, 'x')).body), 'ok');
    assert.deepEqual(server.resumed, [false, true, true]);
    const byName = clientFor(t, `https://localhost:${server.port}`, { secureContext });
    assert.equal(String((await ask(byName, 'x')).body), 'ok');
    const distrusting = clientFor(t, `https://127.0.0.1:${server.port}`);
    assert.notEqual(await codeOf(ask(distrusting, 'x')), 'it did not fail');
  });
});

/** An answer of this many bytes, including its head. */
function okOf(bytes: number): string {
  const head = `HTTP/1.1 200 OK\r\nContent-Length: ${bytes - 42}\r\n\r\n`;
  assert.equal(head.length, 42);
  return `${head}${'o'.repeat(bytes - 42)}`;
}

async function startedSecurely(
  t: Cleanup,
  answering: (index: number) => readonly Sent[],
  options: Partial<DirectClientOptions> = {},
) {
  const { caFile, key, cert } = await makeCertificates(await temporaryDirectory(t));
  const server = await startServer(t, answering, { tls: { key, cert } });
  const ca = await readFile(caFile, 'utf8');
  const secureContext = () => createSecureContext({ ca });
  const client = clientFor(t, `https://127.0.0.1:${server.port}`, { ...options, secureContext });
  return { server, client, secureContext };
}
