import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SignatureV4 } from '@smithy/signature-v4';
import fc from 'fast-check';
import { encodeKey } from '../../src/store/http/key-path.ts';
import { RequestSigner } from '../../src/store/http/sign.ts';
import type { ResolvedTarget } from '../../src/store/resolved-target.ts';
import { Sha256 } from '../support/sha256.ts';

const target: ResolvedTarget = {
  bucket: 'b',
  prefix: '',
  origin: 'https://b.s3.eu-west-1.amazonaws.com',
  host: 'b.s3.eu-west-1.amazonaws.com',
  basePath: '/',
  region: 'eu-west-1',
  service: 's3',
  endpoint: 'aws',
  requestPayer: false,
  anonymous: false,
};

test('every request is signed as the AWS library signs it', async () => {
  const signer = new RequestSigner();
  const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 });
  const word = fc.stringMatching(/^[A-Za-z0-9/+]{1,40}$/);
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        method: fc.constantFrom('GET' as const, 'HEAD' as const),
        key: text,
        query: fc.dictionary(
          fc.constantFrom('list-type', 'prefix', 'start-after', 'max-keys', 'a', 'a-b'),
          text,
        ),
        headers: fc.dictionary(
          fc.constantFrom('if-match', 'range', 'x-amz-checksum-mode', 'x-amz-request-payer'),
          fc.stringMatching(/^[ -~]{1,20}$/),
        ),
        secret: word,
        token: fc.option(word, { nil: undefined }),
        region: fc.constantFrom('eu-west-1', 'us-east-1'),
        now: fc.integer({ min: 0, max: 4e12 }),
      }),
      async ({ method, key, query, headers, secret, token, region, now }) => {
        const credentials = {
          accessKeyId: 'AKIDEXAMPLE',
          secretAccessKey: secret,
          ...(token !== undefined && { sessionToken: token }),
        };
        const path = `/${encodeKey(key)}`;
        const ours = signer.sign({ method, path, query, headers }, { ...target, region }, credentials, now);
        const library = new SignatureV4({
          service: 's3',
          region,
          credentials,
          sha256: Sha256,
          uriEscapePath: false,
        });
        const theirs = await library.sign(
          {
            method,
            protocol: 'https:',
            hostname: target.host,
            path,
            query,
            headers: {
              ...headers,
              host: target.host,
              'x-amz-content-sha256': ours['x-amz-content-sha256'] ?? '',
            },
          },
          { signingDate: new Date(now) },
        );
        assert.deepEqual(ours, theirs.headers);
      },
    ),
    { numRuns: 500 },
  );
});
