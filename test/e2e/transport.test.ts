import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Certificates, makeCertificates } from '../support/certificates.ts';
import { ForwardProxy } from '../support/forward-proxy.ts';
import { mountImpossible } from '../support/mount.ts';
import { StoreProxy } from '../support/proxy.ts';
import { shell } from '../support/reader.ts';
import { type Cleanup, defer, temporaryDirectory } from '../support/temporary.ts';
import { mountStore, openStore, type Store } from './fixture.ts';

const objects = new Map([
  ['a.py', 'a'],
  ['pkg/b.py', 'b'],
]);

async function overTls(t: Cleanup): Promise<{ store: Store; certificates: Certificates }> {
  const plain = await openStore(t, objects);
  const certificates = await makeCertificates(await temporaryDirectory(t));
  const proxy = await StoreProxy.start({ upstream: plain.endpoint, tls: certificates });
  defer(t, () => proxy.close());
  return { store: { ...plain, endpoint: proxy.endpoint }, certificates };
}

async function forwardProxy(t: Cleanup): Promise<ForwardProxy> {
  const proxy = await ForwardProxy.start();
  defer(t, () => proxy.close());
  return proxy;
}

describe('the way to the store', { skip: mountImpossible, concurrency: 3 }, () => {
  const content = 'cat a.py pkg/b.py';

  test('may be TLS with a private CA named by --ca-file', async (t) => {
    const { store, certificates } = await overTls(t);
    const mount = await mountStore(t, store, { args: ['--ca-file', certificates.caFile] });
    assert.equal(await shell(mount.target, content), 'ab');
  });

  test('may be TLS with a private CA named by AWS_CA_BUNDLE', async (t) => {
    const { store, certificates } = await overTls(t);
    const mount = await mountStore(t, store, { env: { AWS_CA_BUNDLE: certificates.caFile } });
    assert.equal(await shell(mount.target, content), 'ab');
  });

  test('may lead through HTTP_PROXY', async (t) => {
    const store = await openStore(t, objects);
    const proxy = await forwardProxy(t);
    const mount = await mountStore(t, store, { env: { HTTP_PROXY: proxy.url } });
    assert.equal(await shell(mount.target, content), 'ab');
    assert.ok(proxy.seen.length > 0);
  });

  test('may lead through HTTPS_PROXY to a TLS endpoint', async (t) => {
    const { store, certificates } = await overTls(t);
    const proxy = await forwardProxy(t);
    const mount = await mountStore(t, store, {
      args: ['--ca-file', certificates.caFile],
      env: { HTTPS_PROXY: proxy.url },
    });
    assert.equal(await shell(mount.target, content), 'ab');
    assert.ok(proxy.seen.includes(new URL(store.endpoint).host));
  });

  test('does not lead through a proxy to a host that NO_PROXY names', async (t) => {
    const store = await openStore(t, objects);
    const proxy = await forwardProxy(t);
    const mount = await mountStore(t, store, { env: { HTTP_PROXY: proxy.url, NO_PROXY: '127.0.0.1' } });
    assert.equal(await shell(mount.target, content), 'ab');
    assert.deepEqual(proxy.seen, []);
  });

  test('may be unsigned', async (t) => {
    const store = await openStore(t, objects);
    const proxy = await StoreProxy.start({ upstream: store.endpoint });
    defer(t, () => proxy.close());
    const signed: boolean[] = [];
    const body =
      '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' +
      '<Name>b</Name><Prefix>dags/</Prefix><KeyCount>1</KeyCount><MaxKeys>1000</MaxKeys><EncodingType>url</EncodingType>' +
      '<IsTruncated>false</IsTruncated><Contents><Key>dags/a.py</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>' +
      '<ETag>&quot;0cc175b9c0f1b6a831c399e269772661&quot;</ETag><Size>1</Size><StorageClass>STANDARD</StorageClass></Contents></ListBucketResult>';
    proxy.fault = ({ kind, header }) => {
      signed.push(header('authorization') !== undefined);
      if (kind === 'LIST')
        return { answer: { status: 200, headers: { 'content-type': 'application/xml' }, body } };
      const headers = {
        etag: '"0cc175b9c0f1b6a831c399e269772661"',
        'last-modified': 'Thu, 01 Jan 2026 00:00:00 GMT',
      };
      return { answer: { status: 200, headers, body: 'a' } };
    };
    const mount = await mountStore(
      t,
      { ...store, endpoint: proxy.endpoint, env: {} },
      { args: ['--no-sign-request'] },
    );
    assert.equal(await shell(mount.target, 'cat a.py'), 'a');
    assert.ok(signed.length > 0 && !signed.includes(true));
  });
});
