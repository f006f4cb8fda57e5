import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ListingColumns } from '../../src/store/listing/columns.ts';
import { type ListingPage, scanListingPage } from '../../src/store/listing/scanner.ts';
import { StoreError } from '../../src/store/store-error.ts';
import { rowsOf } from './list-answers.ts';
import { AWS, keys, OBJECT, page, refusal, refuses, sample, scan, TINY } from './scanning.ts';

const ODD_NAMES = [
  'plain.py',
  'sp ace.py',
  'plus+.py',
  'pct%41.py',
  'amp&.py',
  'quote".py',
  "apos'.py",
  'lt<gt>.py',
  'ünï.py',
  '日本.py',
  'tilde~.py',
  'star*.py',
  'paren().py',
  'a/b/c.py',
  'bang!.py',
  'comma,colon:.py',
  'at@eq=dollar$.py',
  'hash#q?.py',
  'emoji😀.py',
  'ctl\u0001.py',
  'nl\n.py',
  'tab\t.py',
  'cr\r.py',
  'del\u007f.py',
  'back\\slash.py',
  'brace{}|^`.py',
  'semi;.py',
];

describe('scanning a page of a listing', () => {
  it('reads an answer as the documentation of S3 has it', () => {
    const { page, rows } = scan(AWS);
    assert.deepEqual(page, {
      rows: 3,
      truncated: false,
      token: undefined,
      encoded: true,
    } satisfies ListingPage);
    const multipart = 'fba9dede5f27731c9771645a39863328-12';
    assert.deepEqual(rows, [
      {
        key: 'my dag+1.py',
        size: 434234,
        lastModified: Date.UTC(2009, 9, 12, 17, 50, 30),
        etag: 'fba9dede5f27731c9771645a39863328',
        archived: false,
      },
      {
        key: 'old.py',
        size: 0,
        lastModified: Date.UTC(2015, 1, 3, 4, 5, 6, 789),
        etag: multipart,
        archived: true,
      },
      {
        key: 'instant.py',
        size: Number.MAX_SAFE_INTEGER,
        lastModified: Date.UTC(2015, 1, 3, 4, 5, 6),
        etag: '0',
        archived: false,
      },
    ]);
  });

  it('reads keys of every kind as SeaweedFS, moto and fauxqs write them', () => {
    const prefix = 'pre fix+/';
    const seaweedfs = ODD_NAMES.map((name) => name.replace('\\', '/'));
    const moto = ODD_NAMES.filter((name) => !name.includes('\n'));
    for (const [store, names] of [
      ['seaweedfs', seaweedfs],
      ['moto', moto],
      ['fauxqs', ODD_NAMES],
    ] as const) {
      const { page, rows } = scan(sample(`${store}-odd.xml`), { prefix });
      assert.deepEqual([...keys(rows)].sort(), [...names].sort(), store);
      assert.equal(page.encoded, store !== 'fauxqs');
      for (const row of rows) {
        assert.match(row.etag, /^[0-9a-f]{32}$/);
        assert.ok(row.size > 0 && row.lastModified > Date.UTC(2026, 0));
      }
    }
  });

  it('says where the listing goes on, and that an empty one does not', () => {
    const prefix = 'pre fix+/';
    const tokens = {
      seaweedfs: "pre fix+/apos'.py",
      moto: 'ecb97f2800522b260182185fd05ec8a0',
      fauxqs: 'cHJlIGZpeCsvYXBvcycucHk=',
    };
    for (const [store, token] of Object.entries(tokens)) {
      assert.deepEqual(scan(sample(`${store}-page.xml`), { prefix, literal: store === 'fauxqs' }).page, {
        rows: 3,
        truncated: true,
        token,
        encoded: store !== 'fauxqs',
      });
      const empty = scan(sample(`${store}-empty.xml`), { prefix: `${prefix}none/` }).page;
      assert.deepEqual([empty.rows, empty.truncated], [0, false]);
    }
  });

  it('understands namespace prefixes, attributes, comments, CDATA, instructions, a byte order mark and self-closed elements', () => {
    const { rows } = scan(
      '\ufeff<?xml version="1.0"?><!-- > --><s3:ListBucketResult xmlns:s3=\'a>b\'><s3:Prefix/><s3:StartAfter/>' +
        '<?skip <Key>?><s3:EncodingType a="1" >url</s3:EncodingType ><s3:IsTruncated> false\n</s3:IsTruncated>' +
        '<s3:Contents><s3:Owner/><s3:Key>da<!-- <x> -->gs/<![CDATA[a%26&b]]>&#x63;</s3:Key>' +
        '<s3:ETag><![CDATA["e"]]></s3:ETag><s3:Size>7</s3:Size><s3:LastModified>2026-01-02T03:04:05.123456789Z</s3:LastModified>' +
        '<s3:Deep><s3:Deep a="</s3:Deep>"><s3:Deep/></s3:Deep><![CDATA[</s3:Deep>]]></s3:Deep>' +
        '</s3:Contents></s3:ListBucketResult>\n<!-- end -->\n',
      { prefix: '' },
    );
    assert.deepEqual(rows, [
      {
        key: 'dags/a&&bc',
        size: 7,
        lastModified: Date.UTC(2026, 0, 2, 3, 4, 5, 123),
        etag: 'e',
        archived: false,
      },
    ]);
  });

  it('refuses a key outside the prefix, and one with a broken escape, and names them', () => {
    for (const key of ['dag/a.py', 'dags', 'dags/%', 'dags/%4', 'dags/%zz', 'dags/%4g', 'dags/%+1']) {
      const { code, detail } = refusal(page(OBJECT.replace('dags/a.py', key)));
      assert.equal(code, 'corrupt');
      assert.ok(detail.includes(`"${key}"`), detail);
    }
  });

  it('refuses an object without a key, and one of two keys', () => {
    const keyless = OBJECT.replace(/<Key>.*<\/Key>/, '');
    for (const text of [keyless, keyless.replace('<Size>', '<Key/><Size>')]) refuses('corrupt', page(text));
    const twoKeys = OBJECT.replace('</Key>', '</Key><Key>dags/b.py</Key>');
    assert.match(refusal(page(twoKeys)).detail, /two keys.*"dags\/b\.py"/);
    for (const hollow of ['<Contents/>', '<Contents> </Contents>']) {
      refuses('corrupt', page(hollow));
      refuses('corrupt', page(`<KeyCount>2</KeyCount>${OBJECT}${hollow}`));
    }
  });

  it('reads a weak ETag as the strong one of the same letters, which GET may give', () => {
    for (const etag of ['W/"e1"', 'W/&quot;e1&quot;', 'W/e1']) {
      assert.deepEqual(scan(page(OBJECT.replace('"e1"', etag))).rows, scan(page(OBJECT)).rows);
    }
  });

  it('refuses an answer of another prefix, with folded keys, with too many objects, or with fields that contradict', () => {
    assert.match(refusal(page(`<Prefix>other/</Prefix>${OBJECT}`)).detail, /"other\/".*"dags\/"/);
    const folded = page(`<CommonPrefixes><Prefix>dags/x/</Prefix></CommonPrefixes>${OBJECT}`);
    assert.match(refusal(folded).detail, /"dags\/x\/"/);
    refuses('corrupt', page(`<IsTruncated>true</IsTruncated>${OBJECT}`));
    refuses('corrupt', page(`<EncodingType>none</EncodingType>${OBJECT}`));
    const token = (text: string) => `<NextContinuationToken>${text}</NextContinuationToken>`;
    refuses('corrupt', page(`${token('a')}${token('b')}${OBJECT}`));
    refuses('corrupt', page(`${OBJECT}${OBJECT}`), { maxPageRows: 1 });
  });

  it('refuses an answer that says nothing, and one that says neither yes nor no to whether it goes on', () => {
    refuses('corrupt', '<ListBucketResult/>');
    for (const said of ['maybe', '2', 'truefalse'])
      refuses('corrupt', `<ListBucketResult><IsTruncated>${said}</IsTruncated></ListBucketResult>`);
  });

  it('names the key behind which an answer is broken, its control characters escaped', () => {
    const broken = page(`${OBJECT.replace('a.py', 'b\u001b[31m\u202e.py')}<Contents><Key>`);
    const { detail } = refusal(broken.slice(0, broken.lastIndexOf('<Key>') + 5));
    assert.equal(detail, String.raw`the listing is cut off, after the key "dags/b\x1b[31m\u202e.py"`);
  });

  it('refuses what is not well-formed', () => {
    for (const text of [
      page(OBJECT).replace('</Key>', '</Kez>'),
      page(OBJECT).replace('</Contents>', '</Content>'),
      page(OBJECT).replace('</ListBucketResult>', '</ListBucket>'),
      page(`${OBJECT}stray`),
      page(`${OBJECT}<![CDATA[stray]]>`),
      page(OBJECT.replace('a.py', 'a&nbsp;.py')),
      page(OBJECT.replace('a.py', 'a&#xd800;.py')),
      page(OBJECT.replace('a.py', 'a&#x110000;.py')),
      page(OBJECT.replace('a.py', 'a&#;.py')),
      page(OBJECT.replace('a.py', 'a&amp')),
      page(OBJECT.replace('a.py', '<b>a</b>')),
      page(OBJECT.replace('<Size>', '<Size <')),
      page(`${OBJECT}<>`),
      page(OBJECT) + page(OBJECT),
      page(`${OBJECT}<![CDATA[`),
    ]) {
      refuses('corrupt', text);
    }
  });

  it('tells what is no S3 from an answer that came garbled', () => {
    refuses('not-s3', '<!doctype html><html><body>Log in</body></html>');
    refuses('not-s3', '<html><body>Log in</body></html>');
    refuses('not-s3', `<!DOCTYPE a [<!ENTITY b "c">]>${page(OBJECT)}`);
    refuses('not-s3', '{"message": "hello"}');
    refuses('not-s3', '<ListAllMyBucketsResult></ListAllMyBucketsResult>');
    assert.equal(refusal('<html/>').retryable, false);
    refuses('corrupt', '');
    refuses('corrupt', ' \n');
    assert.equal(refusal('').retryable, true);
  });

  it('passes on what an error document with status 200 says', () => {
    const error = (code: string) =>
      `<?xml version="1.0"?><Error><Code>${code}</Code><Message>its &lt;words&gt;</Message></Error>`;
    refuses('throttled', error('SlowDown'));
    refuses('unreachable', error('InternalError'));
    refuses('denied', error('AccessDenied'));
    assert.equal(refusal(error('SlowDown')).retryable, true);
    assert.equal(refusal(error('AccessDenied')).retryable, false);
    assert.match(refusal(error('SlowDown')).detail, /SlowDown.*its <words>/);
    refuses('unreachable', error('Unheard'));
    refuses('corrupt', '<Error/>');
    refuses('corrupt', '<Error><Code>Unheard');
    assert.match(refusal(error('Un\u001bheard')).detail, /^Un\\x1bheard/);
  });

  it('never gives less than the whole of an answer that was cut short', () => {
    for (const bytes of [Buffer.from(AWS), sample('seaweedfs-page.xml'), sample('fauxqs-page.xml')]) {
      const end = bytes.lastIndexOf('>') + 1;
      const prefix = bytes.includes('pre fix') ? 'pre fix+/' : 'dags/';
      for (let length = 0; length < end; length++) {
        const { code } = refusal(bytes.subarray(0, length), { prefix });
        assert.equal(code, 'corrupt', `${length} bytes`);
      }
    }
  });

  it('leaves the columns as they were when it refuses', () => {
    const columns = new ListingColumns(TINY);
    const prefix = Buffer.from('dags/');
    scanListingPage(Buffer.from(page(OBJECT)), { prefix, columns });
    const before = rowsOf(columns);
    const broken = Buffer.from(
      page(`${OBJECT.replace('a.py', 'b.py')}<Contents><Key>dags/c</Key><ETag>left behind</Size></Contents>`),
    );
    assert.throws(() => scanListingPage(broken, { prefix, columns }), StoreError);
    assert.deepEqual(rowsOf(columns), before);
    scanListingPage(Buffer.from(page(OBJECT.replace('a.py', 'longer.py'))), { prefix, columns });
    assert.deepEqual(
      rowsOf(columns).map(({ key }) => key),
      ['a.py', 'longer.py'],
    );
  });
});
