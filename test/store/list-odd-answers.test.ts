import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ListingColumns } from '../../src/store/listing/columns.ts';
import { type ListingPage, scanListingPage } from '../../src/store/listing/scanner.ts';
import { type Row, rowsOf } from './list-answers.ts';

const OBJECT =
  '<Contents><Key>dags/a.py</Key><LastModified>2026-01-02T03:04:05Z</LastModified><ETag>"e1"</ETag><Size>5</Size></Contents>';
const INSTANT = Date.UTC(2026, 0, 2, 3, 4, 5);
const ROW: Row = { key: 'a.py', size: 5, lastModified: INSTANT, etag: 'e1', archived: false };
/** So small that every column must grow. */
const TINY = { rows: 1, keyBytes: 0, etagBytes: 0 };

function page(body: string, isTruncated = '<IsTruncated>false</IsTruncated>'): string {
  return `<ListBucketResult><EncodingType>url</EncodingType>${isTruncated}${body}</ListBucketResult>`;
}

function scan(text: string): { readonly page: ListingPage; readonly rows: readonly Row[] } {
  const columns = new ListingColumns(TINY);
  const result = scanListingPage(Buffer.from(text), { prefix: Buffer.from('dags/'), columns });
  return { page: result, rows: rowsOf(columns) };
}

/** The row of an object with another text in place of `part`. */
function rowWith(part: string | RegExp, text: string): Row {
  const { rows } = scan(page(`${OBJECT.replace(part, text)}${OBJECT.replace('a.py', 'z.py')}`));
  assert.equal(rows.length, 2);
  // Whatever this object has, the next one is read correctly.
  assert.deepEqual(rows[1], { ...ROW, key: 'z.py' });
  return rows[0] as Row;
}

describe('a date in a listing', () => {
  it('is read in every notation that means one instant, in UTC where it has no zone', () => {
    for (const [text, expected] of [
      ['2026-01-02T03:04:05Z', INSTANT],
      ['2026-01-02T03:04:05.1Z', INSTANT + 100],
      ['2026-01-02T03:04:05.1239Z', INSTANT + 123],
      ['2026-01-02T05:04:05+02:00', INSTANT],
      ['2026-01-02T05:04:05.500+0200', INSTANT + 500],
      ['2026-01-01T21:34:05-05:30', INSTANT],
      ['1970-01-01T00:00:00.000Z', 0],
      ['2000-02-29T23:59:59.999Z', Date.UTC(2000, 1, 29, 23, 59, 59, 999)],
      ['Fri, 02 Jan 2026 03:04:05 GMT', INSTANT],
      ['Fri, 2 Jan 2026 03:04:05 +0000', INSTANT],
      ['fri, 02-jan-2026 04:04:05 +0100', INSTANT],
      ['02 January 2026 03:04:05 UTC', INSTANT],
      ['Fri Jan  2 03:04:05 2026', INSTANT],
      ['2026-01-02T03:04:05', INSTANT],
      ['2026-01-02T03:04:05.25', INSTANT + 250],
      ['2026-01-02 03:04:05', INSTANT],
      ['2026-01-02 03:04:05Z', INSTANT],
      ['2026-01-02 03:04:05 UTC', INSTANT],
      ['2026-01-02t03:04:05z', INSTANT],
      ['20260102T030405Z', INSTANT],
      [' 2026-01-02T03:04:05Z\n', INSTANT],
    ] as const) {
      assert.deepEqual(rowWith('2026-01-02T03:04:05Z', text), { ...ROW, lastModified: expected }, text);
    }
  });

  it('is unknown where it is none, is ambiguous, or is not there, and the object is listed all the same', () => {
    for (const text of [
      '',
      'yesterday',
      'null',
      '1767323045',
      '2026-01-02',
      '2026-13-02T03:04:05Z',
      '2026-02-30T03:04:05Z',
      '2026-01-02T24:04:05Z',
      '2026-01-02T03:04:05.Z',
      '2026-01-02T03:04:05+99:00',
      '0x7ea-01-02T03:04:05Z',
      'Fri, 02 Jan 26 03:04:05 GMT',
      'Fri, 02 Foo 2026 03:04:05 GMT',
      'Fri, 31 Jun 2026 03:04:05 GMT',
      '2026-01-02T03:04:05 EST',
      '2'.repeat(100_000),
    ]) {
      const row = rowWith('2026-01-02T03:04:05Z', text);
      assert.deepEqual(row, { ...ROW, lastModified: Number.NaN }, text.slice(0, 100));
    }
    const missing = rowWith(/<LastModified>.*<\/LastModified>/, '');
    assert.deepEqual(missing, { ...ROW, lastModified: Number.NaN });
  });
});

describe('an ETag in a listing', () => {
  it('is read with and without quotes, escaped or not, and without the mark of a weak one', () => {
    for (const text of [
      '"e1"',
      'e1',
      '&quot;e1&quot;',
      'W/"e1"',
      'W/&#34;e1&#x22;',
      ' "e1"\n',
      '<![CDATA["e1"]]>',
    ])
      assert.deepEqual(rowWith('"e1"', text), ROW, text);
  });

  it('is unknown where it is empty, missing, overlong, or no header can carry it', () => {
    for (const text of ['', '""', 'W/""', '"a b"', '"a\nb"', '"ä"', '"\u0001"', `"${'a'.repeat(2000)}"`])
      assert.deepEqual(rowWith('"e1"', text), { ...ROW, etag: '' }, text.slice(0, 100));
    for (const element of ['', '<ETag/>'])
      assert.deepEqual(rowWith(/<ETag>.*<\/ETag>/, element), { ...ROW, etag: '' });
  });
});

describe('a size in a listing', () => {
  it('is read with white space around it', () => {
    for (const text of [' 5', '5\n', '005']) assert.deepEqual(rowWith('>5<', `>${text}<`), ROW);
    const largest = rowWith('>5<', '>9007199254740991<');
    assert.equal(largest.size, Number.MAX_SAFE_INTEGER);
  });

  it('is unknown where it is missing or no whole number below 2^53', () => {
    for (const text of ['', ' ', '-1', '1.5', '1e3', '0x5', '9007199254740992', '9'.repeat(20), 'NaN', '٥'])
      assert.deepEqual(rowWith('>5<', `>${text}<`), { ...ROW, size: Number.NaN }, text);
    assert.deepEqual(rowWith(/<Size>.*<\/Size>/, ''), { ...ROW, size: Number.NaN });
  });
});

describe('a key over 4,096 bytes in a listing', () => {
  const rowOfKey = (text: string): Row => rowWith('a.py', text);

  it('is read whole up to that length', () => {
    assert.equal(rowOfKey('%61'.repeat(4096)).key, 'a'.repeat(4096));
    assert.equal(rowOfKey('a'.repeat(4096)).key, 'a'.repeat(4096));
  });

  it('is cut behind a whole character, however it is written', () => {
    for (const [text, expected] of [
      ['a'.repeat(4097), 'a'.repeat(4097)],
      ['a'.repeat(1_000_000), 'a'.repeat(4097)],
      ['%61'.repeat(100_000), 'a'.repeat(4097)],
      [`&amp;${'%61'.repeat(100_000)}`, `&${'a'.repeat(4096)}`],
      ['日'.repeat(2000), Buffer.from('日'.repeat(1366)).toString('latin1')],
      ['%E6%97%A5'.repeat(2000), Buffer.from('日'.repeat(1366)).toString('latin1')],
    ] as const) {
      assert.deepEqual(rowOfKey(text), { ...ROW, key: expected });
    }
  });

  it('makes no more room than a key of that length', () => {
    const columns = new ListingColumns();
    const prefix = Buffer.from('dags/');
    const text = page(OBJECT.replace('a.py', 'a'.repeat(4_000_000)).repeat(3));
    scanListingPage(Buffer.from(text), { prefix, columns });
    assert.ok(columns.keys.length < 200_000, `${columns.keys.length} bytes`);
  });

  it('does not ask the store how it writes keys', () => {
    const unsaid = page(OBJECT.replace('a.py', `a+${'b'.repeat(5000)}`)).replace(
      /<EncodingType>.*<\/EncodingType>/,
      '',
    );
    assert.equal(scan(unsaid).rows.length, 1);
  });
});

describe('a field of an object that is said twice', () => {
  it('is read where both say the same', () => {
    for (const field of [
      /<Key>.*<\/Key>/,
      /<Size>.*<\/Size>/,
      /<ETag>.*<\/ETag>/,
      /<LastModified>.*<\/LastModified>/,
    ])
      assert.deepEqual(rowWith(field, OBJECT.match(field)?.[0].repeat(3) ?? ''), ROW, String(field));
    const long = 'b'.repeat(3000);
    assert.equal(rowWith('<Key>dags/a.py</Key>', `<Key>dags/${long}</Key>`.repeat(2)).key, long);
  });

  it('is unknown where the two differ', () => {
    assert.deepEqual(rowWith('<Size>', '<Size>6</Size><Size>'), { ...ROW, size: Number.NaN });
    assert.deepEqual(rowWith('<ETag>', '<ETag>"e2"</ETag><ETag>'), { ...ROW, etag: '' });
    assert.deepEqual(rowWith('<ETag>', '<ETag>"e2"</ETag><ETag>"e1"</ETag><ETag>'), { ...ROW, etag: '' });
    const dated = rowWith(
      '<LastModified>',
      '<LastModified>2025-01-02T03:04:05Z</LastModified><LastModified>',
    );
    assert.deepEqual(dated, { ...ROW, lastModified: Number.NaN });
    const classes = '<StorageClass>GLACIER</StorageClass><StorageClass>STANDARD</StorageClass></Contents>';
    assert.equal(rowWith('</Contents>', classes).archived, false);
  });
});

describe('a page that differs from those of S3', () => {
  it('is read whatever it says of the number of its objects', () => {
    for (const said of ['0', '2', ' 1 ', '-1', '', 'many', '1e9', '\u001b[31m'])
      assert.deepEqual(scan(page(`<KeyCount>${said}</KeyCount><KeyCount>7</KeyCount>${OBJECT}`)).rows, [ROW]);
    assert.deepEqual(scan(page(`<KeyCount/>${OBJECT}`)).rows, [ROW]);
  });

  it('is read with elements of other kinds, in any order, and with empty ones', () => {
    for (const body of [
      `<CommonPrefixes/>${OBJECT}`,
      `<CommonPrefixes></CommonPrefixes>${OBJECT}`,
      `<CommonPrefixes><Prefix/></CommonPrefixes>${OBJECT}`,
      `<CommonPrefixes><Prefix></Prefix><Other>x</Other></CommonPrefixes>${OBJECT}`,
      `<Prefix>dags%2f</Prefix><Prefix>dags/</Prefix>${OBJECT}<MaxKeys>0</MaxKeys><Delimiter/><Versions><Key>b</Key></Versions>`,
      OBJECT.replace(/(<Key>.*<\/Key>)(.*)(<Size>.*<\/Size>)/, '$3$2$1'),
      OBJECT.replace('</Contents>', '<StorageClass>UNHEARD</StorageClass><Owner><ID/></Owner></Contents>'),
      OBJECT.replace('<Size>', '<ChecksumAlgorithm>A</ChecksumAlgorithm><x:y xmlns:x="z"><x:w/></x:y><Size>'),
      `<KeyCount>1</KeyCount>${OBJECT}<Contents/>`,
    ]) {
      assert.deepEqual(scan(page(body)).rows, [ROW], body);
    }
    assert.deepEqual(scan(`\ufeff\n ${page(OBJECT)} \r\n\t`).rows, [ROW]);
    assert.deepEqual(scan(page('<KeyCount>0</KeyCount><Contents/>')).rows, []);
  });

  it('is read however it writes yes, no and url', () => {
    const token = '<NextContinuationToken>t</NextContinuationToken>';
    for (const [said, truncated] of [
      ['True', true],
      [' TRUE\n', true],
      ['1', true],
      ['False', false],
      [' false ', false],
      ['FALSE', false],
      ['0', false],
    ] as const) {
      const { page: read } = scan(page(`${OBJECT}${token}`, `<IsTruncated>${said}</IsTruncated>`));
      assert.deepEqual([read.truncated, read.token], [truncated, truncated ? 't' : undefined], said);
    }
    const escaped = page(OBJECT.replace('a.py', 'a%2Epy')).replace('>url<', '> URL\n<');
    assert.deepEqual(scan(escaped).rows, [ROW]);
  });

  it('goes on where it has a token, and leaves open whether it does where it says nothing', () => {
    const token = '<NextContinuationToken>t</NextContinuationToken>';
    for (const unsaid of [
      '',
      '<IsTruncated/>',
      '<IsTruncated></IsTruncated>',
      '<IsTruncated> </IsTruncated>',
    ]) {
      const { page: withToken } = scan(page(`${token}${token}${OBJECT}`, unsaid));
      assert.deepEqual([withToken.truncated, withToken.token], [true, 't']);
      for (const none of [
        '',
        '<NextContinuationToken/>',
        '<NextContinuationToken></NextContinuationToken>',
      ]) {
        const { page: without } = scan(page(`${none}${OBJECT}`, unsaid));
        assert.deepEqual([without.truncated, without.token], [undefined, undefined]);
      }
      assert.equal(scan(page('', unsaid)).page.truncated, undefined);
      assert.equal(scan(page('<KeyCount>0</KeyCount>', unsaid)).page.truncated, false);
    }
  });

  it('is refused with a token that no request could carry', () => {
    const withToken = (token: string) =>
      page(
        `${OBJECT}<NextContinuationToken>${token}</NextContinuationToken>`,
        '<IsTruncated>true</IsTruncated>',
      );
    assert.equal(scan(withToken('t'.repeat(16 * 1024))).page.token?.length, 16 * 1024);
    for (const token of ['t'.repeat(16 * 1024 + 1), 't'.repeat(8_000_000), `&amp;${'t'.repeat(8_000_000)}`])
      assert.throws(() => scan(withToken(token)), { code: 'corrupt' });
  });
});
