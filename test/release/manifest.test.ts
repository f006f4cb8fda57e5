import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { canonicalJson } from '../../src/release/canonical-json.ts';
import { decodeManifest, encodeManifest, type ReleasedFile, releaseId } from '../../src/release/index.ts';

const digest = (text: string): string => createHash('sha256').update(text).digest('hex');
const EMPTY = digest('');

function file(path: string, more: Partial<ReleasedFile> = {}): ReleasedFile {
  return {
    path,
    size: 3,
    sha256: digest(path),
    executable: false,
    place: { pack: digest(`pack of ${path}`), offset: 0 },
    ...more,
  };
}

/** A manifest whose first file has these fields changed. */
function bytesOf(change: Record<string, unknown>, files = [file('a.py')]): Uint8Array {
  const document = JSON.parse(Buffer.from(encodeManifest(files)).toString());
  Object.assign(document.files[0], change);
  for (const [key, value] of Object.entries(change)) if (value === undefined) delete document.files[0][key];
  return Buffer.from(canonicalJson(document));
}

describe('the id of a release', () => {
  test('is the hash of its files as airflow-manifest-bundle 0.3 defines it', () => {
    // To check by hand: printf '%s' '<the text>' | sha256sum
    const text =
      `{"files":[{"executable":true,"path":"bin/run.sh","sha256":"${digest('run')}","size":3},` +
      `{"executable":false,"path":"dags/\\u00e9.py","sha256":"${EMPTY}","size":0}],"schema_version":1}`;
    const files = [
      file('dags/é.py', { size: 0, sha256: EMPTY, place: undefined }),
      file('bin/run.sh', { sha256: digest('run'), executable: true }),
    ];
    assert.equal(releaseId(files), `sha256-${digest(text)}`);
    assert.equal(releaseId(files), 'sha256-3dfafe58c97d510888133255e8f6aee6f66d29600ad342adf406f57271bac73d');
  });

  test('does not depend on packs', () => {
    const elsewhere = file('a', { place: { pack: digest('other'), offset: 7 } });
    assert.equal(releaseId([file('a')]), releaseId([elsewhere]));
  });
});

describe('a manifest', () => {
  test('is read back as it was written, its files by code point of their paths', () => {
    const files = [
      file('\u{1f600}'),
      file('\uffff'),
      file('a/b'),
      file('a.py'),
      file('z', { size: 0, sha256: EMPTY, place: undefined }),
    ];
    const { files: read, id } = decodeManifest(encodeManifest(files));
    assert.deepEqual(
      read.map(({ path }) => path),
      ['a.py', 'a/b', 'z', '\uffff', '\u{1f600}'],
    );
    assert.equal(id, releaseId(files));
    assert.deepEqual([...read].sort(), [...read].sort());
    assert.deepEqual(read[0], file('a.py'));
    assert.equal(read[2]?.place, undefined);
  });

  test('of the same files has other bytes with salt, and the same id', () => {
    const files = [file('a.py')];
    assert.notDeepEqual(encodeManifest(files, '01'), encodeManifest(files));
    assert.deepEqual(decodeManifest(encodeManifest(files, '01')), decodeManifest(encodeManifest(files)));
  });

  for (const [what, change] of [
    ['no path', { path: undefined }],
    ['a path that leads out', { path: '../etc/passwd' }],
    ['a path from the root', { path: '/etc/passwd' }],
    ['an empty component', { path: 'a//b' }],
    ['a path with a slash at its end', { path: 'a/' }],
    ['a NUL byte in a path', { path: 'a\0b' }],
    ['an empty path', { path: '' }],
    ['a component that is too long', { path: 'x'.repeat(256) }],
    ['a negative size', { size: -1 }],
    ['a size as text', { size: '3' }],
    ['a size beyond any object', { size: 2 ** 50 }],
    ['a digest in upper case', { sha256: digest('a').toUpperCase() }],
    ['a digest that is too short', { sha256: digest('a').slice(1) }],
    ['no execute bit', { executable: undefined }],
    ['a pack that is a path', { pack: '../refs/production.json' }],
    ['no offset', { offset: undefined }],
    ['an offset beyond any pack', { offset: 2 ** 53 - 1 }],
    ['a field that is not known', { mode: 511 }],
    ['bytes that are nowhere', { pack: undefined, offset: undefined }],
    ['no bytes, and a digest of some', { size: 0, pack: undefined, offset: undefined }],
  ] as const) {
    test(`is refused where a file has ${what}`, () => {
      assert.throws(() => decodeManifest(bytesOf(change)), { code: 'malformed' });
    });
  }

  test('is refused where two files share bytes of a pack, unless all of them, and the content is the same', () => {
    const pack = digest('pack');
    const at = (path: string, offset: number, size: number, content = path): ReleasedFile =>
      file(path, { size, sha256: digest(content), place: { pack, offset } });
    for (const [one, other] of [
      [at('a', 0, 3), at('b', 2, 3)],
      [at('a', 0, 9), at('b', 3, 3)],
      [at('a', 0, 3), at('b', 0, 4)],
      [at('a', 0, 3), at('b', 0, 3)],
      [at('a', 5, 3), at('b', 4, 2)],
    ] as const) {
      assert.throws(() => decodeManifest(encodeManifest([one, other])), { code: 'malformed' });
    }
    const apart = [at('a', 0, 3), at('b', 3, 3), at('c', 0, 3, 'a'), file('d')];
    assert.equal(decodeManifest(encodeManifest(apart)).files.length, 4);
  });

  for (const [what, text] of [
    ['lists in lists', '['.repeat(1_000_000)],
    ['objects without end', `{"files":[${'{},'.repeat(1_100_000)}{}],"schema":1}`],
    ['values without end', `{"files":[${'0,'.repeat(16_100_000)}0],"schema":1}`],
    ['a text that does not end', '{"files":["\\\\\\"'],
  ] as const) {
    test(`of ${what} is refused`, () => {
      assert.throws(() => decodeManifest(Buffer.from(text)), { code: 'malformed' });
    });
  }

  test('is refused where a path is there twice, out of order, or a file and a folder', () => {
    const document = (paths: readonly string[]): Uint8Array => {
      const files = paths.map(
        (path) => JSON.parse(Buffer.from(encodeManifest([file(path)])).toString()).files[0],
      );
      return Buffer.from(canonicalJson({ files, schema: 1 }));
    };
    for (const paths of [
      ['a', 'a'],
      ['b', 'a'],
      ['a', 'a.py', 'a/b'],
      ['\u{1f600}', '\uffff'],
    ]) {
      assert.throws(() => decodeManifest(document(paths)), { code: 'malformed' }, paths.join(' '));
    }
  });

  test('is refused by another schema, and where the document has a field that is not known', () => {
    for (const document of [
      { files: [], schema: 2 },
      { files: [] },
      { files: [], schema: 1, more: 1 },
      [],
      null,
    ]) {
      assert.throws(() => decodeManifest(Buffer.from(canonicalJson(document))), { code: 'malformed' });
    }
  });

  test('is read back whatever the names', () => {
    const name = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
      .filter((text) => !/[/\0]|^\.\.?$/.test(text));
    fc.assert(
      fc.property(fc.uniqueArray(name, { maxLength: 20 }), (names) => {
        const files = names.map((path) => file(path));
        assert.deepEqual(new Set(decodeManifest(encodeManifest(files)).files), new Set(files));
      }),
    );
  });

  test('that was changed in any byte is refused, or is a manifest', () => {
    const bytes = encodeManifest([file('a.py'), file('b/c.py', { executable: true })]);
    fc.assert(
      fc.property(fc.nat({ max: bytes.length - 1 }), fc.nat({ max: 255 }), (at, byte) => {
        const changed = Uint8Array.from(bytes);
        changed[at] = byte;
        try {
          const { files } = decodeManifest(changed);
          assert.deepEqual(Buffer.from(encodeManifest(files)), Buffer.from(changed));
        } catch (error) {
          assert.equal((error as { code?: unknown }).code, 'malformed');
        }
      }),
      { numRuns: 2000 },
    );
  });
});
