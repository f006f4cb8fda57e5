import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setAwsEnvironment } from '../support/aws-environment.ts';
import { Issuer, ways } from './credential-ways.ts';
import { FakeStore, type SeenRequest } from './fake-store.ts';
import { openStore, patience, read } from './open-store.ts';
import { resolve } from './resolving.ts';

/** The number of rotations, one after another. */
const ROTATIONS = 4;
const row = (key: string): string =>
  `<Contents><Key>dags/${key}</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified><ETag>"e1"</ETag><Size>5</Size></Contents>`;

describe('credentials that are replaced', () => {
  for (const [what, way] of Object.entries(ways)) {
    test(`fail no listing and no body, and status says which and until when: ${what}`, async (t) => {
      const issuer = new Issuer();
      const { env, rotated } = await way.prepare(t, issuer);
      setAwsEnvironment(t, env);
      /** The credentials rotate before the store answers this request. */
      let rotateAt = Number.POSITIVE_INFINITY;
      const refused: string[] = [];
      const answering = (request: SeenRequest, index: number) => {
        if (index >= rotateAt) {
          rotateAt = Number.POSITIVE_INFINITY;
          issuer.rotation += 1;
          rotated();
        }
        if (!(request.headers.authorization ?? '').includes(`Credential=${issuer.key}/`)) {
          refused.push(request.url);
          return { status: 400, body: '<Error><Code>ExpiredToken</Code><Message>expired</Message></Error>' };
        }
        if (request.query.get('list-type') === null) {
          return { status: 200, headers: { etag: '"e1"' }, body: 'bytes' };
        }
        const isSecond = request.query.has('continuation-token');
        const rest = isSecond
          ? '<IsTruncated>false</IsTruncated>'
          : '<IsTruncated>true</IsTruncated><NextContinuationToken>next</NextContinuationToken>';
        return {
          status: 200,
          body: `<ListBucketResult>${rest}${row(isSecond ? 'b.py' : 'a.py')}</ListBucketResult>`,
        };
      };
      const fake = await FakeStore.start(t, answering);
      const { credentials, found } = await resolve(
        t,
        's3://bucket',
        way.profile === undefined ? {} : { profile: way.profile },
      );
      const { store } = openStore(t, fake.origin, { credentials, now: () => (clock += 6_000) });
      let clock = 0;
      for (let round = 0; round < ROTATIONS; round += 1) {
        const before = fake.requests.length;
        // Rotate between two pages of a listing, or before a body.
        rotateAt = round % 2 === 0 ? before + 1 : before + 2;
        const listed = await store.list({ signal: patience() });
        assert.equal(listed.count, 2);
        const { body } = await store.get('a.py', { signal: patience(), ifMatch: 'e1' });
        assert.equal((await read(body)).toString(), 'bytes');
        assert.equal(issuer.rotation, round + 1);
      }
      assert.ok(refused.length >= 1, 'credentials were replaced in the midst of it');
      const last = found.last;
      assert.equal(last?.origin, way.origin);
      assert.equal(last?.expiresAt !== undefined, way.expires);
      assert.deepEqual(Object.keys(last ?? {}).sort(), ['expiresAt', 'origin'], 'nothing of a secret');
    });
  }
});
