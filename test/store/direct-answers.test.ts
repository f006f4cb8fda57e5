import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { exchange } from '../../src/store/http/exchange.ts';
import { Stopper } from '../../src/store/stop.ts';
import { OK, type Sent, started, textOf } from './direct-clients.ts';
import { ask, codeOf } from './dispatching.ts';

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

  test('to HEAD has no body, whatever length it tells, and is the last one of its connection', async (t) => {
    const { server, client } = await started(t, ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n']);
    for (let i = 0; i < 2; i++) {
      const { headers, body } = await ask(client, server.origin, { method: 'HEAD' });
      assert.equal(headers['content-length'], '5');
      assert.equal(body.length, 0);
    }
    assert.equal(server.accepted, 2);
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
