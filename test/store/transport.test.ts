import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { describe, test } from 'node:test';
import { optionOf } from '../../src/config/options/options.ts';
import { readTransportSettings } from '../../src/store/http/transport-settings.ts';
import { SettingError } from '../../src/store/setting-error.ts';
import { type Certificates, makeCertificates } from '../support/certificates.ts';
import { ForwardProxy } from '../support/forward-proxy.ts';
import { type Cleanup, defer, temporaryDirectory } from '../support/temporary.ts';
import { FakeStore, object } from './fake-store.ts';
import { failureOf, openStore, patience, read } from './open-store.ts';

async function secureStore(t: Cleanup): Promise<{ fake: FakeStore; certificates: Certificates }> {
  const certificates = await makeCertificates(await temporaryDirectory(t));
  return { fake: await FakeStore.start(t, () => object('x'), certificates), certificates };
}

async function proxy(t: Cleanup): Promise<ForwardProxy> {
  const started = await ForwardProxy.start();
  defer(t, () => started.close());
  return started;
}

/** Listens until the test ends; returns the address. */
async function listen(t: Cleanup, server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const tunnels = new Set<Duplex>();
  server.on('connect', (_request, socket) => tunnels.add(socket));
  defer(t, async () => {
    for (const tunnel of tunnels) tunnel.destroy();
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  return `http://127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}`;
}

/** A proxy that answers plain requests by itself, and tunnels all others to one host, whichever host they name. */
async function tunnelTo(t: Cleanup, host: string, saw: (request: IncomingMessage) => void): Promise<string> {
  const proxying = createServer((request, response) => {
    saw(request);
    response.writeHead(200, { etag: '"e"', 'content-length': '1' }).end('x');
  });
  proxying.on('connect', (request, client) => {
    saw(request);
    const { hostname, port } = new URL(`http://${host}`);
    const store = connect(Number(port), hostname, () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      store.pipe(client).pipe(store);
    });
    store.on('error', () => client.destroy());
    client.on('error', () => store.destroy());
    client.on('close', () => store.destroy());
  });
  return listen(t, proxying);
}

async function get(
  t: Cleanup,
  origin: string,
  environment: Readonly<Record<string, string>>,
  caFile?: string,
) {
  const settings = await readTransportSettings({ ...(caFile !== undefined && { caFile }) }, environment);
  const { store } = openStore(t, origin, { settings });
  return read((await store.get('a', { signal: patience() })).body);
}

describe('a certificate of a private authority', () => {
  test('is not trusted by itself, and the error names --ca-file', async (t) => {
    const { fake } = await secureStore(t);
    const failure = await failureOf(get(t, fake.origin, {}));
    assert.equal(failure.code, 'untrusted-certificate');
    assert.equal(failure.retryable, false);
    assert.match(failure.hint, /--ca-file/);
    assert.equal(fake.requests.length, 0);
  });

  for (const variable of ['AWS_CA_BUNDLE', 'REQUESTS_CA_BUNDLE']) {
    test(`is trusted where ${variable} names the authority`, async (t) => {
      const { fake, certificates } = await secureStore(t);
      assert.equal(String(await get(t, fake.origin, { [variable]: certificates.caFile })), 'x');
    });
  }

  test('is trusted where --ca-file names the authority, over a bundle that does not', async (t) => {
    const { fake, certificates } = await secureStore(t);
    const other = await makeCertificates(await temporaryDirectory(t));
    assert.equal(
      String(await get(t, fake.origin, { AWS_CA_BUNDLE: other.caFile }, certificates.caFile)),
      'x',
    );
  });

  test('is not trusted where the bundle names another authority', async (t) => {
    const { fake } = await secureStore(t);
    const other = await makeCertificates(await temporaryDirectory(t));
    const failure = await failureOf(get(t, fake.origin, { AWS_CA_BUNDLE: other.caFile }));
    assert.equal(failure.code, 'untrusted-certificate');
  });

  test('is trusted where it stands second in a bundle', async (t) => {
    const { fake, certificates } = await secureStore(t);
    const directory = await temporaryDirectory(t);
    const other = await makeCertificates(directory);
    const bundle = join(directory, 'bundle.pem');
    await writeFile(
      bundle,
      `# two\n${await readFile(other.caFile, 'utf8')}\n${await readFile(certificates.caFile, 'utf8')}`,
    );
    assert.equal(String(await get(t, fake.origin, {}, bundle)), 'x');
  });

  test('for another name than the one asked for is not trusted, and the error says that it is the name', async (t) => {
    const { fake, certificates } = await secureStore(t);
    const anywhere = await tunnelTo(t, new URL(fake.origin).host, () => undefined);
    const environment = { AWS_CA_BUNDLE: certificates.caFile, HTTPS_PROXY: anywhere };
    const failure = await failureOf(get(t, 'https://other.dagmount.invalid', environment));
    assert.equal(failure.code, 'untrusted-certificate');
    assert.match(failure.hint, /another name/);
  });
});

describe('a bundle that cannot be used', () => {
  test('is refused by name where it is not there', async () => {
    await assert.rejects(
      readTransportSettings({ caFile: '/nowhere/ca.pem' }, {}),
      (error) =>
        error instanceof SettingError && /--ca-file names \/nowhere\/ca\.pem.*ENOENT/.test(error.message),
    );
  });

  test('is refused where it holds no certificate', async (t) => {
    const path = join(await temporaryDirectory(t), 'ca.pem');
    await writeFile(path, 'not a certificate');
    await assert.rejects(
      readTransportSettings({}, { AWS_CA_BUNDLE: path }),
      (error) =>
        error instanceof SettingError && error.code === 'bad-setting' && /AWS_CA_BUNDLE/.test(error.message),
    );
  });
});

describe('a proxy', () => {
  test('forwards plain HTTP without a tunnel', async (t) => {
    const fake = await FakeStore.start(t, () => object('x'));
    const through = await proxy(t);
    assert.equal(String(await get(t, fake.origin, { HTTP_PROXY: through.url })), 'x');
    assert.deepEqual(through.seen, [new URL(fake.origin).host]);
    assert.match(fake.requests[0]?.headers.authorization ?? '', /Signature=/);
    assert.equal(fake.requests[0]?.headers.host, new URL(fake.origin).host);
  });

  test('tunnels HTTPS, and sees nothing of it', async (t) => {
    const { fake, certificates } = await secureStore(t);
    const through = await proxy(t);
    const environment = { HTTPS_PROXY: through.url, AWS_CA_BUNDLE: certificates.caFile };
    assert.equal(String(await get(t, fake.origin, environment)), 'x');
    assert.deepEqual(through.seen, [new URL(fake.origin).host]);
  });

  test('does not make a certificate trusted', async (t) => {
    const { fake } = await secureStore(t);
    const through = await proxy(t);
    const failure = await failureOf(get(t, fake.origin, { HTTPS_PROXY: through.url }));
    assert.equal(failure.code, 'untrusted-certificate');
  });

  test('is passed by where NO_PROXY names the store', async (t) => {
    const fake = await FakeStore.start(t, () => object('x'));
    const through = await proxy(t);
    assert.equal(String(await get(t, fake.origin, { HTTP_PROXY: through.url, NO_PROXY: '127.0.0.1' })), 'x');
    assert.deepEqual(through.seen, []);
  });

  test('that is down makes the store unreachable, and the error names the variables', async (t) => {
    const fake = await FakeStore.start(t, () => object('x'));
    const settings = await readTransportSettings({}, { HTTP_PROXY: 'http://127.0.0.1:1' });
    const { http } = openStore(t, fake.origin, { settings });
    const failure = await failureOf(http.send({ operation: 'get', key: 'a' }, patience()));
    assert.equal(failure.code, 'unreachable');
    assert.match(failure.hint, /HTTP_PROXY.*NO_PROXY/);
  });

  test('is told user and password, for plain HTTP and for a tunnel', async (t) => {
    const seen: (string | undefined)[] = [];
    const { fake, certificates } = await secureStore(t);
    const address = await tunnelTo(t, new URL(fake.origin).host, ({ headers }) => {
      seen.push(headers['proxy-authorization']);
    });
    const url = address.replace('//', '//us%40er:hush@');
    const environment = { HTTP_PROXY: url, HTTPS_PROXY: url, AWS_CA_BUNDLE: certificates.caFile };
    assert.equal(String(await get(t, 'http://store.dagmount.invalid', environment)), 'x');
    assert.equal(String(await get(t, fake.origin, environment)), 'x');
    const expected = `Basic ${Buffer.from('us@er:hush').toString('base64')}`;
    assert.deepEqual(seen, [expected, expected]);
    assert.equal(fake.requests[0]?.headers['proxy-authorization'], undefined);
  });

  test('that refuses a tunnel makes the store unreachable', async (t) => {
    const refusing = createServer();
    refusing.on('connect', (_request, socket) =>
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n'),
    );
    const address = await listen(t, refusing);
    const settings = await readTransportSettings({}, { HTTPS_PROXY: address.replace('//', '//user:hush@') });
    const { http } = openStore(t, 'https://store.dagmount.invalid', { settings });
    const failure = await failureOf(http.send({ operation: 'get', key: 'a' }, patience()));
    assert.equal(failure.code, 'unreachable');
    assert.match(failure.hint, /HTTPS_PROXY/);
    assert.doesNotMatch(`${failure.message} ${failure.hint}`, /hush/);
  });

  test('that never answers a plain request is given up', async (t) => {
    const address = await listen(
      t,
      createServer(() => undefined),
    );
    const timeouts = { connect: 500, firstByte: 100, stall: 100 };
    const settings = await readTransportSettings({ timeouts }, { HTTP_PROXY: address });
    const { http } = openStore(t, 'http://store.dagmount.invalid', { settings });
    const failure = await failureOf(http.send({ operation: 'get', key: 'a' }, patience()));
    assert.equal(failure.code, 'unreachable');
    assert.match(failure.detail, /UND_ERR_HEADERS_TIMEOUT/);
  });

  test('that never answers the wish for a tunnel is given up', async (t) => {
    const silent = createServer();
    silent.on('connect', () => undefined);
    const address = await listen(t, silent);
    const settings = await readTransportSettings(
      { timeouts: { connect: 500, firstByte: 100, stall: 100 } },
      { HTTPS_PROXY: address },
    );
    const { http } = openStore(t, 'https://store.dagmount.invalid', { settings });
    const failure = await failureOf(http.send({ operation: 'get', key: 'a' }, patience()));
    assert.equal(failure.code, 'unreachable');
  });
});

test('connections are kept and used again', async (t) => {
  const fake = await FakeStore.start(t, () => object('x'));
  const { store } = openStore(t, fake.origin);
  for (let i = 0; i < 20; i++) await store.get(`k${i}`, { signal: patience() });
  // The client may open a second connection when the first one is about to be free.
  assert.ok(fake.connections <= 2);
});

test('there are no more connections than asked for', async (t) => {
  const fake = await FakeStore.start(t, () => object('x'));
  const { store } = openStore(t, fake.origin, { settings: { connections: 3 }, concurrency: 3 });
  await Promise.all(Array.from({ length: 50 }, (_, i) => store.get(`k${i}`, { signal: patience() })));
  assert.ok(fake.connections <= 3);
});

test('a client that is not told otherwise has as many connections as --concurrency has by default', async () => {
  const { connections } = await readTransportSettings({}, {});
  assert.equal(String(connections), optionOf('concurrency').default);
});
