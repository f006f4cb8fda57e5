import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import type { Credentials } from '../../src/store/credentials.ts';
import { identities, type Seaweedfs, seaweedfsBinary, startSeaweedfs } from '../support/seaweedfs.ts';
import type { Cleanup } from '../support/temporary.ts';
import { failureOf, openStore, patience, read, type StoreUnderTest } from './open-store.ts';

const skip =
  seaweedfsBinary() === undefined && process.env.DAGMOUNT_TEST_S3 === undefined
    ? 'SeaweedFS is not installed: scripts/test does that'
    : false;

describe('against a real store', { skip }, () => {
  let seaweedfs: Seaweedfs;
  let bucket: string;
  const large = randomBytes(9 * 1024 * 1024 + 17);

  before(async () => {
    seaweedfs = await startSeaweedfs();
    bucket = await seaweedfs.createBucket();
  });
  after(() => seaweedfs?.stop());

  function open(t: Cleanup, credentials: Credentials = identities.reader, name = bucket): StoreUnderTest {
    return openStore(t, seaweedfs.endpoint, {
      credentials: async () => credentials,
      target: { bucket: name, basePath: `/${name}/` },
    });
  }

  test('objects are listed, looked at and read, whatever their keys look like', async (t) => {
    const keys = ['a.py', 'b c.py', "ü!'()*~.py", 'p+q%2F.py', 'd/e/f.py', '日本.py', 'q?x=1&y#z.py'];
    await seaweedfs.putAll(
      bucket,
      keys.map((key) => [`dags/${key}`, `# ${key}`] as const),
    );
    await seaweedfs.put(bucket, 'dagsx/other.py', 'not below the prefix');
    const { store } = open(t);
    const listed = await store.list({ signal: patience() });
    const ends = [...listed.keyEnds];
    const found = ends.map((end, i) => Buffer.from(listed.keys.subarray(ends[i - 1] ?? 0, end)).toString());
    assert.deepEqual(found.toSorted(), keys.toSorted());
    for (const [i, key] of found.entries()) {
      const { body, ...head } = await store.get(key, { signal: patience() });
      assert.equal(String(await read(body)), `# ${key}`);
      assert.deepEqual(await store.head(key, { signal: patience() }), head);
      assert.equal(head.size, listed.sizes[i]);
      const etag = listed.etags.subarray(listed.etagEnds[i - 1] ?? 0, listed.etagEnds[i]);
      assert.equal(head.etag, Buffer.from(etag).toString('latin1'));
    }
  });

  test('a large object is read as a whole and in chunks, of the version asked for', async (t) => {
    const etag = await seaweedfs.put(bucket, 'dags/large', large);
    const { store } = open(t);
    assert.ok(
      large.equals(await read((await store.get('large', { signal: patience(), ifMatch: etag })).body)),
    );
    const range = { start: 8 * 1024 * 1024, end: 16 * 1024 * 1024 };
    const { body, size } = await store.get('large', { signal: patience(), ifMatch: etag, range });
    assert.ok(large.subarray(range.start).equals(await read(body)));
    assert.equal(size, large.length);
    await seaweedfs.put(bucket, 'dags/large', 'new');
    assert.equal(
      (await failureOf(store.get('large', { signal: patience(), ifMatch: etag }))).code,
      'changed',
    );
  });

  test('what is not there is gone', async (t) => {
    const { store } = open(t);
    assert.equal((await failureOf(store.get('nothing', { signal: patience() }))).code, 'gone');
    assert.equal((await failureOf(store.head('nothing', { signal: patience() }))).code, 'gone');
  });

  test('a bucket that is not there is named as such', async (t) => {
    const { store } = open(t, identities.admin, 'no-such-bucket-anywhere');
    assert.equal((await failureOf(store.list({ signal: patience() }))).code, 'no-such-bucket');
  });

  test('who may not is denied, and told what to grant', async (t) => {
    await seaweedfs.put(bucket, 'dags/a.py', 'x');
    const { store } = open(t, identities.stranger);
    const listing = await failureOf(store.list({ signal: patience() }));
    assert.equal(listing.code, 'denied');
    assert.match(listing.hint, /s3:ListBucket/);
    const getting = await failureOf(store.get('a.py', { signal: patience() }));
    assert.equal(getting.code, 'denied');
    assert.match(getting.hint, /s3:GetObject/);
    assert.equal((await failureOf(store.head('a.py', { signal: patience() }))).code, 'denied');
  });

  test('a key that the store does not know, and a secret that is wrong, are denied', async (t) => {
    const unknown = open(t, { accessKeyId: 'NOBODY', secretAccessKey: 'x' });
    const wrong = open(t, { ...identities.reader, secretAccessKey: 'wrong' });
    for (const { store } of [unknown, wrong]) {
      const failure = await failureOf(store.list({ signal: patience() }));
      assert.equal(failure.code, 'denied');
      assert.doesNotMatch(failure.hint, /Grant/);
    }
  });
});
