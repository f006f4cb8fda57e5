import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { setPublishTime } from '../../src/tree/build.ts';
import { listedEtag } from '../../src/tree/date-mark.ts';
import { versionName } from '../../src/tree/identity.ts';
import { build, collidingHash, hostileListing, indices, NOW, sortedPaths } from './arbitraries.ts';
import { keyBytes, PLAIN_ETAG } from './listings.ts';
import { referenceId, referenceTree } from './reference-tree.ts';

function entriesOf({ generation }: ReturnType<typeof build>) {
  return new Map(
    indices(generation).map((i) => [
      generation.path(i),
      {
        kind: generation.isDirectory(i) ? 'directory' : 'file',
        size: generation.size(i),
        etag: generation.etag(i),
        archived: generation.isArchived(i),
        lastModified: generation.lastModified(i),
      },
    ]),
  );
}

describe('building a generation', () => {
  it('shows exactly the tree and the problems of the reference model, whatever the keys', () => {
    fc.assert(
      fc.property(hostileListing, (objects) => {
        const expected = referenceTree(objects);
        const built = build(objects);
        const entries = new Map(
          [...expected.entries].map(([path, entry]) => [
            path,
            { ...entry, lastModified: Math.floor(entry.lastModified / 1000) },
          ]),
        );
        assert.deepEqual(entriesOf(built), entries);
        assert.equal(built.problems.length, expected.problems.length);
        assert.equal(built.generation.problems, expected.problems.length);
        assert.deepEqual(
          built.problems.map(({ reason }) => reason).sort(),
          expected.problems.map((problem) => problem.split(' ')[0]).sort(),
        );
      }),
      { numRuns: 500 },
    );
  });

  it('counts files, directories, bytes and subdirectories', () => {
    fc.assert(
      fc.property(hostileListing, (objects) => {
        const { generation } = build(objects);
        const { entries } = referenceTree(objects);
        const files = [...entries.values()].filter(({ kind }) => kind === 'file');
        assert.equal(generation.files, files.length);
        assert.equal(generation.directories, entries.size - files.length);
        assert.equal(
          generation.bytes,
          files.reduce((sum, { size }) => sum + size, 0),
        );
        for (const i of indices(generation)) {
          const children = indices(generation).filter(
            (child) => child !== 0 && generation.parent(child) === i,
          );
          assert.equal(
            generation.subdirectories(i),
            children.filter((child) => generation.isDirectory(child)).length,
          );
        }
      }),
    );
  });

  it('finds every path, every name and every node id, and no others', () => {
    fc.assert(
      fc.property(hostileListing, fc.option(collidingHash, { nil: undefined }), (objects, hash) => {
        const { generation } = build(objects, hash === undefined ? {} : { hash });
        for (const i of indices(generation)) {
          assert.equal(generation.find(generation.path(i)), i);
          assert.equal(generation.indexOfNode(generation.nodeId(i)), i);
          if (i !== 0) assert.equal(generation.lookup(generation.parent(i), generation.name(i)), i);
          assert.equal(generation.lookup(i, Buffer.from('absent')), -1);
          assert.equal(generation.lookup(i, Buffer.alloc(0)), -1);
          assert.equal(generation.find(`${generation.path(i)}/absent`), -1);
        }
        assert.equal(generation.indexOfNode(0), -1);
        assert.equal(generation.indexOfNode(generation.entries + 1), -1);
        assert.equal(generation.indexOfNode(1.5), -1);
      }),
    );
  });

  it('keeps the children of a directory together, behind it, with strictly growing cookies', () => {
    fc.assert(
      fc.property(hostileListing, fc.option(collidingHash, { nil: undefined }), (objects, hash) => {
        const { generation } = build(objects, hash === undefined ? {} : { hash });
        let next = 1;
        for (const i of indices(generation)) {
          assert.equal(generation.childrenStart(i), next);
          next = generation.childrenEnd(i);
          let last = 15n;
          for (let child = generation.childrenStart(i); child < next; child++) {
            assert.equal(generation.parent(child), i);
            const cookie =
              (BigInt(generation.cookieHigh(child)) << 32n) | BigInt(generation.cookieLow(child));
            assert.ok(cookie > last && cookie < 2n ** 63n);
            last = cookie;
          }
        }
        assert.equal(next, generation.entries);
      }),
    );
  });

  it('gives equal trees equal ids, whatever the order of the listing', () => {
    const shuffled = hostileListing.chain((objects) => {
      const once = [
        ...new Map(objects.map((object) => [keyBytes(object.key).toString('latin1'), object])).values(),
      ];
      return fc.tuple(
        fc.constant(once),
        fc.shuffledSubarray(once, { minLength: once.length, maxLength: once.length }),
      );
    });
    fc.assert(
      fc.property(shuffled, fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), ([objects, others], salt) => {
        const { generation } = build(objects);
        assert.equal(build(others, { salt }).generation.id, generation.id);
        assert.equal(generation.id, referenceId(referenceTree(objects)));
      }),
      { numRuns: 300 },
    );
  });

  it('gives a tree that differs in a path, a kind, a size or an ETag another id', () => {
    const ids = [
      [],
      [{ key: 'a' }],
      [{ key: 'b' }],
      [{ key: 'a', size: 2 }],
      [{ key: 'a', etag: 'x' }],
      [{ key: 'a/' }],
      [{ key: 'a/b' }],
      [{ key: 'a' }, { key: 'b' }],
    ].map((objects) => build(objects).generation.id);
    assert.equal(new Set(ids).size, ids.length);
  });

  it('has the id of nothing for an empty tree', () => {
    assert.equal(build([]).generation.id, 'e3b0c44298fc1c149afbf4c8996fb924');
  });

  it('names a version by path, ETag and size', () => {
    const { generation } = build([
      { key: 'd/a.py', size: 7 },
      { key: 'd/m', etag: 'x-2', size: 2 ** 40 },
    ]);
    for (const [path, etag, size] of [
      ['d/a.py', PLAIN_ETAG, 7],
      ['d/m', 'x-2', 2 ** 40],
    ] as const) {
      const version = generation.version(generation.find(path));
      assert.deepEqual(version, { name: versionName(path, etag, size), path, etag, size });
    }
    // Another program hashed these fields with their lengths. The hash must stay: caches must find their blobs again.
    assert.equal(versionName('d/m', 'x-2', 7), 'd7c290fea686e572529bc1b1266036ed');
    assert.equal(generation.versionName(generation.find('d')), '0'.repeat(32));
  });

  it('keeps an ETag as it was listed, hostile bytes included', () => {
    const every = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte)).join('');
    const etags = [PLAIN_ETAG, PLAIN_ETAG.toUpperCase(), `${PLAIN_ETAG}-12`, every, 'x'.repeat(1024)];
    const { generation } = build(etags.map((etag, i) => ({ key: `f${i}`, etag })));
    assert.deepEqual(
      etags.map((_, i) => generation.etag(generation.find(`f${i}`))),
      etags,
    );
  });

  it('tells versions apart by size and date where the listing has no ETag', () => {
    const of = (lastModified: number, size = 1) =>
      build([{ key: 'a', etag: '', lastModified, size }]).generation;
    const before = of(1_700_000_000_000);
    const index = before.find('a');
    assert.equal(listedEtag(before.etag(index)), undefined);
    assert.deepEqual(before.version(index).lastModified, 1_700_000_000_000);
    assert.equal(of(1_700_000_000_000).versionName(index), before.versionName(index));
    for (const other of [of(1_700_000_000_001), of(1_700_000_001_000), of(1_700_000_000_000, 2)]) {
      assert.notEqual(other.id, before.id);
      assert.notEqual(other.versionName(index), before.versionName(index));
    }
  });

  it('leaves out what has neither ETag nor date, and shows what has no date alone', () => {
    const { generation, problems } = build([
      { key: 'a', etag: '', lastModified: Number.NaN },
      { key: 'b', lastModified: Number.NaN },
      { key: 'c', etag: '' },
      { key: 'd/', etag: '', lastModified: Number.NaN },
      { key: '', size: 0, etag: '', lastModified: Number.NaN },
    ]);
    assert.deepEqual(sortedPaths(generation, indices(generation)), ['', 'b', 'c', 'd']);
    assert.deepEqual(
      problems.map(({ key, reason }) => [key, reason]),
      [
        ['a', 'no-version'],
        ['b', 'bad-date'],
      ],
    );
    assert.equal(generation.version(generation.find('b')).lastModified, undefined);
  });

  it('refuses a listing that contradicts itself', () => {
    for (const size of [-1, 0.5, 2 ** 53, Number.POSITIVE_INFINITY]) {
      assert.throws(() => build([{ key: 'a', size }]), { code: 'bad-listing' });
    }
    assert.throws(() => build([{ key: 'a', etag: 'x'.repeat(5000) }]), { code: 'bad-listing' });
  });

  it('takes less than 120 bytes an entry, its name included', () => {
    const { generation } = build(Array.from({ length: 1000 }, (_, i) => ({ key: `dags/pipeline_${i}.py` })));
    assert.ok(generation.buffer.byteLength / generation.entries < 120);
  });

  it('dates a first tree by the store, not later than now, and a directory by its newest content', () => {
    const { generation } = build([
      { key: 'd/old', lastModified: 1_700_000_000_999 },
      { key: 'd/e/new', lastModified: 1_700_000_005_000 },
      { key: 'future', lastModified: NOW + 3_600_000 },
      { key: 'empty/' },
    ]);
    const mtime = (path: string): number => generation.mtimeSeconds(generation.find(path));
    assert.equal(mtime('d/old'), 1_700_000_000);
    assert.equal(mtime('d'), 1_700_000_005);
    assert.equal(mtime('future'), NOW / 1000);
    assert.equal(mtime('empty'), NOW / 1000);
    assert.equal(mtime(''), NOW / 1000);
    setPublishTime(generation, undefined, { seconds: 5, nanoseconds: 6 }, 42);
    assert.equal(generation.number, 42);
    assert.equal(mtime('d'), 1_700_000_005);
  });
});
