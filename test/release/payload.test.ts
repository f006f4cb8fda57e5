import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { canonicalJson } from '../../src/release/canonical-json.ts';
import {
  decodeEnvelope,
  decodePayload,
  digestOfPayload,
  encodeEnvelope,
  encodePayload,
} from '../../src/release/index.ts';
import { examplePayload } from './example-payload.ts';

const changed = (change: Record<string, unknown>): Uint8Array => {
  const document = { ...JSON.parse(Buffer.from(encodePayload(examplePayload)).toString()), ...change };
  return Buffer.from(canonicalJson(JSON.parse(JSON.stringify(document))));
};

describe('a payload', () => {
  test('is read back as it was written', () => {
    assert.deepEqual(decodePayload(encodePayload(examplePayload)), examplePayload);
    const first = {
      ...examplePayload,
      sequence: 1,
      previous: undefined,
      notBefore: undefined,
      allowDeletions: false,
    };
    assert.deepEqual(decodePayload(encodePayload(first)), first);
  });

  test('has the bytes that it always had', () => {
    assert.equal(
      digestOfPayload(encodePayload(examplePayload)),
      '690fcd82bd62d3c39718f31342f6867350700bb43afe805c7c1224bf3ba3a378',
    );
  });

  for (const [what, change] of [
    ['another schema', { schema: 2 }],
    ['no root', { root: undefined }],
    ['an empty root', { root: '' }],
    ['an environment that is a path', { env: '../x' }],
    ['a sequence of 0', { seq: 0 }],
    ['a sequence that is not one more than the one before', { seq: 9 }],
    ['an action that is not known', { action: 'destroy' }],
    ['a release that is no id', { release: 'sha256-xyz' }],
    ['a manifest larger than any', { manifest: { sha256: 'a'.repeat(64), size: 2 ** 40 } }],
    ['a manifest with more to it', { manifest: { sha256: 'a'.repeat(64), size: 1, more: 1 } }],
    ['nothing before it, though it is not the first', { previous: undefined }],
    ['a date that does not exist', { created: '2026-02-30T00:00:00.000Z' }],
    ['a date in another zone', { created: '2026-02-03T00:00:00+01:00' }],
    ['to wait for more than a week', { not_before: '2027-01-01T00:00:00.000Z' }],
    ['deletions allowed by a text', { allow_deletions: 'true' }],
    ['no author', { author: '' }],
    ['a message of a megabyte', { message: 'x'.repeat(1024 * 1024) }],
    ['a commit that is an option', { commit: '--upload-pack=x' }],
    ['a URL that is a script', { url: 'javascript:alert(1)' }],
    ['a field that is not known', { force: true }],
  ] as const) {
    test(`is refused with ${what}`, () => {
      assert.throws(() => decodePayload(changed(change)), { code: 'malformed' });
    });
  }
});

describe('an envelope', () => {
  const envelope = {
    payload: encodePayload(examplePayload),
    signatures: [{ principal: 'a@b', signature: 'x' }],
  };

  test('is read back as it was written, with the payload bit by bit', () => {
    const read = decodeEnvelope(encodeEnvelope(envelope));
    assert.deepEqual(Buffer.from(read.payload), Buffer.from(envelope.payload));
    assert.deepEqual(read.signatures, envelope.signatures);
  });

  for (const [what, document] of [
    ['no object', []],
    ['no payload', { signatures: [] }],
    ['a payload that is no base64', { payload: '***', signatures: [] }],
    ['a payload in base64 of another alphabet', { payload: '-_-_', signatures: [] }],
    ['bits behind the payload', { payload: 'YR==', signatures: [] }],
    ['no signatures', { payload: 'YQ==' }],
    [
      'a hundred signatures',
      { payload: 'YQ==', signatures: Array(100).fill({ principal: '', signature: '' }) },
    ],
    ['a signature without a name', { payload: 'YQ==', signatures: [{ signature: '' }] }],
    ['more than it should have', { payload: 'YQ==', signatures: [], more: 1 }],
  ] as const) {
    test(`is refused with ${what}`, () => {
      assert.throws(() => decodeEnvelope(Buffer.from(JSON.stringify(document))), { code: 'malformed' });
    });
  }

  test('of any bytes is an envelope or refused', () => {
    const near = fc.tuple(fc.nat(), fc.nat(255)).map(([at, byte]) => {
      const bytes = Uint8Array.from(encodeEnvelope(envelope));
      bytes[at % bytes.length] = byte;
      return bytes;
    });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), near), (bytes) => {
        try {
          decodePayload(decodeEnvelope(bytes).payload);
        } catch (error) {
          assert.equal((error as { code?: unknown }).code, 'malformed');
        }
      }),
      { numRuns: 1000 },
    );
  });
});
