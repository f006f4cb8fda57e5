import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  LARGEST_SHARED_BYTES,
  MOST_PACK_BYTES,
  MOST_PACKS,
  type PackPlan,
  placeFiles,
  planPacks,
} from '../../src/deploy/pack-plan.ts';
import type { ReleasedContent, ReleasedFile } from '../../src/release/index.ts';

const digest = (text: string): string => createHash('sha256').update(text).digest('hex');

function content(path: string, size: number, version = ''): ReleasedContent {
  return { path, size, sha256: digest(size === 0 ? '' : `${path} ${version} ${size}`), executable: false };
}

/** The sizes of a store's packs, by digest, and how many bytes were written. */
class Packs {
  readonly bytes = new Map<string, number>();
  written = 0;

  deploy(
    files: readonly ReleasedContent[],
    current: readonly ReleasedFile[],
  ): { files: readonly ReleasedFile[]; plan: PackPlan } {
    const plan = planPacks(files, current);
    const digests = plan.packs.map((contents) => digest(contents.map(({ sha256 }) => sha256).join()));
    plan.packs.forEach((contents, at) => {
      const size = contents.reduce((bytes, one) => bytes + one.size, 0);
      this.bytes.set(digests[at]!, size);
      this.written += size;
    });
    return { files: placeFiles(files, plan, digests), plan };
  }

  check(files: readonly ReleasedFile[]): void {
    const ranges = new Map<string, string>();
    for (const { path, size, sha256, place } of files) {
      if (size === 0) {
        assert.equal(place, undefined);
        continue;
      }
      assert.ok(place !== undefined && place.offset + size <= this.bytes.get(place.pack)!, path);
      // Equal contents share a range, and different contents never do.
      const range = `${place.pack} ${place.offset}`;
      assert.equal(ranges.get(range) ?? sha256, sha256);
      ranges.set(range, sha256);
    }
  }
}

const packsOf = (files: readonly ReleasedFile[]): number =>
  new Set(files.flatMap(({ place }) => place?.pack ?? [])).size;

describe('the packs of a deploy', () => {
  test('hold the contents that the release before has not, and no other', () => {
    const packs = new Packs();
    const first = packs.deploy([content('a', 10), content('b', 20)], []);
    assert.equal(packs.written, 30);
    const second = packs.deploy(
      [content('a', 10), content('renamed', 20, 'x'), { ...content('b', 20), path: 'moved' }],
      first.files,
    );
    assert.equal(packs.written, 50);
    packs.check(second.files);
  });

  test('are none for a release that is there already, nor for files of no bytes', () => {
    const packs = new Packs();
    const files = [content('a', 10), content('empty', 0)];
    const { files: placed } = packs.deploy(files, []);
    assert.deepEqual(packs.deploy(files, placed).plan.packs, []);
    assert.deepEqual(packs.deploy([content('empty', 0)], []).plan.packs, []);
  });

  test('are the same whoever deploys, in whatever order the files come', () => {
    const files = Array.from({ length: 50 }, (_, at) => content(`f${at}`, at + 1));
    const one = planPacks(files, []);
    const other = planPacks([...files].reverse(), []);
    assert.deepEqual(one.packs, other.packs);
  });

  test('have a large file alone, and no more than 32 MiB of others', () => {
    const files = [
      content('large', LARGEST_SHARED_BYTES + 1),
      ...Array.from({ length: 10 }, (_, at) => content(`f${at}`, LARGEST_SHARED_BYTES)),
    ];
    const { packs } = planPacks(files, []);
    assert.deepEqual(packs.map((contents) => contents.length).sort(), [1, 2, 4, 4]);
    for (const contents of packs) {
      if (contents.length > 1)
        assert.ok(contents.reduce((sum, { size }) => sum + size, 0) <= MOST_PACK_BYTES);
    }
  });

  test('stay few over 500 deploys of one file each, at a small price', () => {
    const packs = new Packs();
    let files: readonly ReleasedContent[] = Array.from({ length: 3000 }, (_, at) => content(`f${at}`, 4096));
    let placed = packs.deploy(files, []).files;
    const before = packs.written;
    for (let round = 0; round < 500; round++) {
      files = files.map((file, at) =>
        at === (round * 7) % 3000 ? content(file.path, 4096, String(round)) : file,
      );
      placed = packs.deploy(files, placed).files;
      assert.ok(packsOf(placed) <= MOST_PACKS);
      packs.check(placed);
    }
    // 500 times 4 KiB are 2 MB, and each file was written a few times more.
    assert.ok(packs.written - before < 30 * 1024 * 1024, `${packs.written - before} bytes`);
  });

  test('that are less than half used are written anew, by what is still needed of them', () => {
    const packs = new Packs();
    const files = Array.from({ length: 10 }, (_, at) => content(`f${at}`, 100));
    const { files: placed } = packs.deploy(files, []);
    const { plan } = packs.deploy(files.slice(0, 4), placed);
    assert.deepEqual(
      plan.packs.map((contents) => contents.length),
      [4],
    );
    assert.equal(packs.deploy(files.slice(0, 5), placed).plan.packs.length, 0);
  });

  test('hold everything, whatever is deployed on top of whatever', () => {
    const size = fc.oneof(
      fc.constant(0),
      fc.integer({ min: 1, max: 5000 }),
      fc.constant(LARGEST_SHARED_BYTES + 1),
    );
    const file = fc.tuple(fc.integer({ min: 0, max: 15 }), size, fc.constantFrom('x', 'y'));
    const release = fc.uniqueArray(file, { selector: ([name]) => name, maxLength: 16 });
    fc.assert(
      fc.property(fc.array(release, { maxLength: 20 }), (releases) => {
        const packs = new Packs();
        let placed: readonly ReleasedFile[] = [];
        for (const one of releases) {
          placed = packs.deploy(
            one.map(([name, bytes, version]) => content(`f${name}`, bytes, version)),
            placed,
          ).files;
          packs.check(placed);
        }
      }),
    );
  });
});
