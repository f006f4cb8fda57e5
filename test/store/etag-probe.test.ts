import assert from 'node:assert/strict';
import { test } from 'node:test';
import { etags } from '../../src/server/store-probe.ts';
import { Md5Counter, sampleEtags } from '../../src/store/etag-probe.ts';
import { S3Store } from '../../src/store/s3-store.ts';
import { etagOf, FakeStore, object } from './fake-store.ts';
import { CREDENTIALS, openStore, patience } from './open-store.ts';

const BODY = Buffer.from('import airflow\n');
const MD5 = etagOf(BODY);

for (const [name, listed, served, outcome, says] of [
  ['are what they should be', MD5, `"${MD5}"`, 'good', /the same, of 3 of 3 objects/],
  ['are weak', `W/"${MD5}"`, `W/"${MD5}"`, 'good', /the same/],
  ['differ from the listing', 'listed', '"served"', 'doubtful', /another than the listing of 3 of 3/],
  ['are none in the listing', '', `"${MD5}"`, 'doubtful', /the listing has none of 3 of 3/],
  ['are none in GET', MD5, '""', 'doubtful', /GET gives none of 3 of 3/],
  ['look like an MD5', '0'.repeat(32), `"${'0'.repeat(32)}"`, 'doubtful', /MD5 and are none of 3 of 3/],
] as const) {
  test(`doctor tells of a store whose ETags ${name}`, async (t) => {
    const fake = await FakeStore.start(t, () => object(BODY, { etag: served }));
    const { http, transport, yielder } = openStore(t, fake.origin);
    const md5 = new Md5Counter();
    const { target } = http;
    const store = new S3Store({ target, transport, credentials: async () => CREDENTIALS, yielder, md5 });
    const objects = ['a', 'b', 'c'].map((key) => ({ key, etag: listed }));
    const finding = etags(await sampleEtags(store, md5, objects, patience()));
    assert.equal(finding.outcome, outcome);
    assert.match(finding.detail, says);
  });
}
