import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ListingColumns } from '../../src/store/listing/columns.ts';
import { scanListingPage } from '../../src/store/listing/scanner.ts';
import { StoreError } from '../../src/store/store-error.ts';
import { repository } from '../support/repository.ts';
import { type AnswerParts, answer, escapedOnly, percentEncoded, rowsOf, urlEncoded } from './list-answers.ts';

/** So small that every column must grow. */
const TINY = { rows: 1, keyBytes: 0, etagBytes: 0 };

const hostileText = fc.string({
  unit: fc.oneof(
    fc.constantFrom(
      '+',
      '%',
      '&',
      '"',
      "'",
      '<',
      '>',
      ' ',
      '/',
      '\n',
      '\r',
      '\0',
      '\u0001',
      '%41',
      '&amp;',
      ']]>',
    ),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
  ),
  maxLength: 60,
});
const hostileName = fc.oneof(
  hostileText.map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
);
const etag = fc.string({
  unit: fc.constantFrom(...'0123456789abcdef-&<>\'"#;.'.split('')),
  minLength: 1,
  maxLength: 40,
});

const parts = fc
  .record({
    prefix: fc.oneof(fc.constant(Buffer.from('')), fc.constant(Buffer.from('dags/')), hostileName),
    objects: fc.array(
      fc.record({
        key: hostileName,
        size: fc.maxSafeNat(),
        lastModified: fc.integer({ min: 0, max: 4_000_000_000_000 }),
        // The scanner would take a pair of quotes within the ETag for those around it.
        etag: etag
          .map((text) => text.replaceAll('"', ''))
          .filter((text) => text !== '' && !text.startsWith('W/')),
        storageClass: fc.constantFrom(
          'STANDARD',
          'GLACIER',
          'DEEP_ARCHIVE',
          'GLACIER_IR',
          'INTELLIGENT_TIERING',
        ),
      }),
      { maxLength: 12 },
    ),
    token: fc.option(
      hostileText.filter((text) => text !== '' && !/[^ -~]/.test(text)),
      { nil: undefined },
    ),
  })
  .map(
    ({ prefix, objects, token }): AnswerParts => ({
      prefix,
      objects: objects.map((object) => ({ ...object, key: Buffer.concat([prefix, object.key]) })),
      ...(token === undefined ? {} : { token }),
    }),
  );

function expectedRows({ prefix, objects }: AnswerParts) {
  return objects.map(({ key, size, lastModified, etag, storageClass }) => ({
    key: Buffer.from(key.subarray(prefix.length)).toString('latin1'),
    size,
    lastModified,
    etag,
    archived: storageClass === 'GLACIER' || storageClass === 'DEEP_ARCHIVE',
  }));
}

function scan(bytes: Uint8Array, prefix: Uint8Array, literal = false) {
  const columns = new ListingColumns(TINY);
  return { page: scanListingPage(bytes, { prefix, columns, literal }), rows: rowsOf(columns) };
}

describe('scanning any page', () => {
  it('gives back the bytes of every key, whatever they are and however the store encodes them', () => {
    fc.assert(
      fc.property(parts, fc.constantFrom(urlEncoded, percentEncoded), (listed, writeKey) => {
        const { page, rows } = scan(answer({ ...listed, writeKey }), listed.prefix);
        assert.deepEqual(rows, expectedRows(listed));
        assert.equal(page.token, listed.token);
        assert.equal(page.truncated, listed.token !== undefined);
      }),
      { numRuns: 1000 },
    );
  });

  it('gives back the bytes of every key of a store that is known not to encode', () => {
    fc.assert(
      fc.property(parts, (listed) => {
        const bytes = answer({ ...listed, writeKey: escapedOnly, echoesEncoding: false });
        assert.deepEqual(scan(bytes, listed.prefix, true).rows, expectedRows(listed));
      }),
      { numRuns: 500 },
    );
  });

  it('never reads keys otherwise than they are where the store does not say whether it encodes', () => {
    fc.assert(
      fc.property(parts, (listed) => {
        const bytes = answer({ ...listed, writeKey: escapedOnly, echoesEncoding: false });
        let rows: ReturnType<typeof scan>['rows'];
        try {
          rows = scan(bytes, listed.prefix).rows;
        } catch (error) {
          assert.ok(error instanceof StoreError);
          return;
        }
        assert.deepEqual(rows, expectedRows(listed));
      }),
      { numRuns: 500 },
    );
  });

  it('refuses every page that is cut short', () => {
    fc.assert(
      fc.property(parts, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (listed, where) => {
        const bytes = answer(listed);
        const cut = bytes.subarray(0, Math.floor(where * bytes.length));
        assert.throws(() => scan(cut, listed.prefix), { code: 'corrupt' });
      }),
      { numRuns: 500 },
    );
  });

  it('ends with a typed error or a page for every page with damaged bytes, and leaves no half of it', () => {
    const samples = ['seaweedfs-page.xml', 'moto-page.xml', 'fauxqs-page.xml', 'seaweedfs-odd.xml'].map(
      (name) => readFileSync(join(repository, 'test/store/list-samples', name)),
    );
    const damage = fc.array(
      fc.tuple(fc.nat(), fc.oneof(fc.nat(255), fc.constantFrom(...Buffer.from('<>&;/"%+![')))),
      {
        minLength: 1,
        maxLength: 6,
      },
    );
    fc.assert(
      fc.property(fc.constantFrom(...samples), damage, (sample, changes) => {
        const bytes = Buffer.from(sample);
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        const columns = new ListingColumns(TINY);
        try {
          const page = scanListingPage(bytes, { prefix: Buffer.from('pre fix+/'), columns });
          assert.equal(columns.count, page.rows);
        } catch (error) {
          assert.ok(error instanceof StoreError, `not a StoreError: ${error}`);
          assert.equal(columns.count, 0);
        }
      }),
      { numRuns: 5000 },
    );
  });
});
