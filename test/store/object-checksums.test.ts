import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { crc32 } from 'node:zlib';
import { Crc32c, Crc64Nvme } from '@aws-sdk/checksums/crc';
import { etagOf, FakeStore, flipped, object } from './fake-store.ts';
import { failureOf, openStore, patience, read } from './open-store.ts';

const SMALL = Buffer.from('import airflow\n');
/** Longer than what the store's client collects before it hands bytes out. */
const LARGE = randomBytes(1_000_003);

function crcHeader(
  crc: { update(bytes: Uint8Array): void; digest(): Promise<Uint8Array> },
  body: Uint8Array,
) {
  crc.update(body);
  return crc.digest().then((digest) => Buffer.from(digest).toString('base64'));
}

describe('checksums', () => {
  const kinds: readonly (readonly [name: string, of: (body: Buffer) => Promise<Record<string, string>>])[] = [
    [
      'CRC32',
      async (body) => {
        const bytes = Buffer.alloc(4);
        bytes.writeUInt32BE(crc32(body));
        return { 'x-amz-checksum-crc32': bytes.toString('base64') };
      },
    ],
    ['CRC32C', async (body) => ({ 'x-amz-checksum-crc32c': await crcHeader(new Crc32c(), body) })],
    ['CRC64NVME', async (body) => ({ 'x-amz-checksum-crc64nvme': await crcHeader(new Crc64Nvme(), body) })],
    ['SHA-1', async (body) => ({ 'x-amz-checksum-sha1': createHash('sha1').update(body).digest('base64') })],
    [
      'SHA-256',
      async (body) => ({ 'x-amz-checksum-sha256': createHash('sha256').update(body).digest('base64') }),
    ],
    ['an MD5 as ETag', async (body) => ({ etag: `"${etagOf(body)}"` })],
    ['an MD5 as ETag in capitals', async (body) => ({ etag: `"${etagOf(body).toUpperCase()}"` })],
  ];
  for (const [name, headersOf] of kinds) {
    for (const [size, body] of [
      ['a short', SMALL],
      ['a long', LARGE],
    ] as const) {
      test(`${name} finds one flipped bit in ${size} object, and lets the right one pass`, async (t) => {
        const headers = { 'x-amz-checksum-type': 'FULL_OBJECT', ...(await headersOf(body)) };
        const fake = await FakeStore.start(t, () => object(body, headers));
        const { store } = openStore(t, fake.origin);
        const fetched = async () => read((await store.get('a', { signal: patience() })).body);
        assert.deepEqual(await fetched(), body);
        assert.equal(fake.requests[0]?.headers['x-amz-checksum-mode'], 'ENABLED');
        fake.answering = () => object(flipped(body, body.length - 1), headers);
        assert.equal((await failureOf(fetched())).code, 'corrupt');
      });
    }
  }

  test('a short object that comes garbled once is fetched again', async (t) => {
    const headers = { etag: `"${etagOf(SMALL)}"` };
    const fake = await FakeStore.start(t, (_request, index) =>
      object(index === 0 ? flipped(SMALL, 0) : SMALL, headers),
    );
    const { store } = openStore(t, fake.origin);
    assert.deepEqual(await read((await store.get('a', { signal: patience() })).body), SMALL);
    assert.equal(fake.requests.length, 2);
  });

  test('a short object that always comes garbled is asked for three times', async (t) => {
    const fake = await FakeStore.start(t, () => object(flipped(SMALL, 0), { etag: `"${etagOf(SMALL)}"` }));
    const { store } = openStore(t, fake.origin);
    assert.equal((await failureOf(store.get('a', { signal: patience() }))).code, 'corrupt');
    assert.equal(fake.requests.length, 3);
  });

  const unusable: readonly (readonly [name: string, headers: Record<string, string>])[] = [
    ['an ETag of a multipart upload', { etag: `"${'0'.repeat(32)}-3"` }],
    [
      'an ETag of an object under a KMS key',
      { etag: `"${'0'.repeat(32)}"`, 'x-amz-server-side-encryption': 'aws:kms' },
    ],
    [
      'an ETag under two layers of KMS',
      { etag: `"${'0'.repeat(32)}"`, 'x-amz-server-side-encryption': 'aws:kms:dsse' },
    ],
    [
      'an ETag of an object under the customer’s key',
      { etag: `"${'0'.repeat(32)}"`, 'x-amz-server-side-encryption-customer-algorithm': 'AES256' },
    ],
    ['a checksum of checksums', { 'x-amz-checksum-crc32': 'AAAAAA==-3' }],
    [
      'a checksum of the composite type',
      { 'x-amz-checksum-crc32': 'AAAAAA==', 'x-amz-checksum-type': 'COMPOSITE' },
    ],
  ];
  for (const [name, headers] of unusable) {
    test(`${name} is no checksum of the content`, async (t) => {
      const fake = await FakeStore.start(t, () => object(SMALL, headers));
      const { store } = openStore(t, fake.origin);
      assert.deepEqual(await read((await store.get('a', { signal: patience() })).body), SMALL);
    });
  }
});
