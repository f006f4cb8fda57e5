import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { setPublishTime } from '../../src/tree/build.ts';
import type { Generation } from '../../src/tree/generation.ts';
import { build, indices, plainListing, sortedPaths } from './arbitraries.ts';
import { keyBytes, type TestObject } from './listings.ts';

/** Publishes listings one after the other, as the revalidation loop does. */
class Succession {
  readonly removedDirectories = new Map<string, number>();
  current: Generation | undefined;
  nextNodeId = 2;
  #number = 0;

  publish(objects: readonly TestObject[]): Generation {
    const previous = this.current;
    const { generation, changes, nextNodeId } = build(objects, {
      previous,
      removedDirectories: this.removedDirectories,
      nextNodeId: this.nextNodeId,
    });
    this.#number++;
    setPublishTime(
      generation,
      changes,
      { seconds: 2_000_000_000 + this.#number, nanoseconds: 7 },
      this.#number,
    );
    for (const i of changes?.removed ?? []) {
      if (previous?.isDirectory(i) === true)
        this.removedDirectories.set(previous.path(i), previous.nodeId(i));
    }
    for (const i of changes?.added ?? []) {
      if (generation.isDirectory(i)) this.removedDirectories.delete(generation.path(i));
    }
    this.current = generation;
    this.nextNodeId = nextNodeId;
    return generation;
  }

  id(path: string): number {
    return this.current!.nodeId(this.current!.find(path));
  }

  mtime(path: string): readonly [number, number] {
    const i = this.current!.find(path);
    return [this.current!.mtimeSeconds(i), this.current!.mtimeNanoseconds(i)];
  }
}

/** An object without a version is shown as it was before, if it was shown as a file. */
function asShown(object: TestObject, before: Generation | undefined): TestObject {
  const path = keyBytes(object.key).toString();
  if (path.endsWith('/') || object.etag !== '' || !Number.isNaN(object.lastModified)) return object;
  const index = before?.find(path) ?? -1;
  if (before === undefined || index <= 0 || before.isDirectory(index)) return object;
  return {
    key: object.key,
    size: before.size(index),
    etag: before.etag(index),
    lastModified: before.lastModified(index) * 1000,
    archived: before.isArchived(index),
  };
}

const histories = fc.array(plainListing, { minLength: 2, maxLength: 6 });

describe('over generations, a node id', () => {
  it('belongs to one directory path for ever, or to one publication of one file version', () => {
    fc.assert(
      fc.property(histories, (listings) => {
        const succession = new Succession();
        const owners = new Map<number, string>();
        const directories = new Map<string, number>();
        let before: Map<string, number> = new Map();
        let highest = 0;
        for (const objects of listings) {
          const generation = succession.publish(objects);
          const now = new Map<string, number>();
          for (const i of indices(generation)) {
            const id = generation.nodeId(i);
            const path = generation.path(i);
            if (generation.isDirectory(i)) {
              assert.equal(owners.get(id) ?? `directory ${path}`, `directory ${path}`);
              assert.equal(directories.get(path) ?? id, id);
              owners.set(id, `directory ${path}`);
              directories.set(path, id);
              continue;
            }
            const version = `file ${path} ${generation.etag(i)} ${generation.size(i)}`;
            assert.equal(owners.get(id) ?? version, version);
            owners.set(id, version);
            now.set(version, id);
            // The same version keeps its id. Any other version, also after a roll-back, gets an id that was never seen.
            if (before.has(version)) assert.equal(id, before.get(version));
            else assert.ok(id > highest);
          }
          highest = succession.nextNodeId - 1;
          for (const id of owners.keys()) assert.ok(id <= highest);
          before = now;
        }
      }),
      { numRuns: 300 },
    );
  });

  it('is found in every generation', () => {
    fc.assert(
      fc.property(histories, (listings) => {
        const succession = new Succession();
        for (const objects of listings) {
          const generation = succession.publish(objects);
          for (const i of indices(generation)) assert.equal(generation.indexOfNode(generation.nodeId(i)), i);
          for (const id of [0, succession.nextNodeId, 2 ** 53]) assert.equal(generation.indexOfNode(id), -1);
        }
      }),
    );
  });

  it('of the root is 1', () => {
    const succession = new Succession();
    for (const objects of [[], [{ key: 'a' }], [], [{ key: 'b/' }]]) {
      succession.publish(objects);
      assert.equal(succession.id(''), 1);
    }
  });

  it('is new for a file that is changed, removed and put again, or rolled back', () => {
    const succession = new Succession();
    const ids = [[{ key: 'a', etag: 'x' }], [{ key: 'a', etag: 'y' }], [{ key: 'a', etag: 'x' }], []].map(
      (objects) => {
        succession.publish(objects);
        return succession.current!.find('a') === -1 ? 0 : succession.id('a');
      },
    );
    succession.publish([{ key: 'a', etag: 'x' }]);
    assert.equal(new Set([...ids, succession.id('a')]).size, 5);
  });

  it('comes back with a directory that was removed, but not for a file of its path', () => {
    const succession = new Succession();
    succession.publish([{ key: 'd/e/f' }]);
    const before = [succession.id('d'), succession.id('d/e')];
    succession.publish([{ key: 'd' }]);
    assert.ok(succession.id('d') > before[1]!);
    succession.publish([{ key: 'd/e/g' }]);
    assert.deepEqual([succession.id('d'), succession.id('d/e')], before);
  });

  it('that is in use is never handed out again: such a state is refused', () => {
    const { generation } = build([{ key: 'a' }, { key: 'b' }]);
    const previous = generation;
    assert.throws(() => build([{ key: 'a' }, { key: 'c' }], { previous, nextNodeId: 2 }), {
      code: 'bad-state',
    });
    for (const nextNodeId of [1, 0, -1, 2.5, 2 ** 53, Number.NaN]) {
      assert.throws(() => build([{ key: 'a' }], { nextNodeId }), { code: 'bad-state' });
    }
    assert.throws(
      () =>
        build([{ key: 'a' }, { key: 'd/' }], {
          previous,
          nextNodeId: 9,
          removedDirectories: new Map([['d', 1]]),
        }),
      { code: 'bad-state' },
    );
  });
});

describe('over generations, a modification time', () => {
  it('is set where something changed and kept where nothing did', () => {
    const succession = new Succession();
    const fingerprint = (number: number) => [2_000_000_000 + number, 7];
    succession.publish([{ key: 'd/a' }, { key: 'd/b' }, { key: 'e/x' }, { key: 'f/g/h' }]);
    const first = ['', 'd', 'd/a', 'e', 'f', 'f/g'].map((path) => succession.mtime(path));

    const changed = [{ key: 'd/a', etag: 'new' }, { key: 'd/b' }, { key: 'e/x' }, { key: 'f/g/h' }];
    succession.publish(changed);
    assert.deepEqual(succession.mtime('d/a'), fingerprint(2));
    assert.deepEqual(succession.mtime('d'), fingerprint(2));
    for (const [at, path] of [[0, ''] as const, [3, 'e'] as const, [4, 'f'] as const, [5, 'f/g'] as const]) {
      assert.deepEqual(succession.mtime(path), first[at]);
    }

    succession.publish([...changed.slice(0, 2), { key: 'f/g/h' }, { key: 'f/g/i' }, { key: 'n/o' }]);
    for (const path of ['', 'f/g', 'f/g/i', 'n', 'n/o'])
      assert.deepEqual(succession.mtime(path), fingerprint(3), path);
    for (const path of ['d', 'd/a']) assert.deepEqual(succession.mtime(path), fingerprint(2), path);
    assert.deepEqual(succession.mtime('f'), first[4]);
  });

  it('of unchanged content outlives a change of its date in the store, as the first such date does', () => {
    const succession = new Succession();
    succession.publish([{ key: 'a', lastModified: 1_000 }]);
    succession.publish([{ key: 'a', lastModified: 9_000 }]);
    assert.deepEqual(succession.mtime('a'), [1, 0]);
    assert.equal(succession.current!.lastModified(succession.current!.find('a')), 1);
  });
});

describe('over generations, version names', () => {
  it('are those of a build from nothing', () => {
    fc.assert(
      fc.property(histories, (listings) => {
        const succession = new Succession();
        for (const objects of listings) {
          const before = succession.current;
          const taken = succession.publish(objects);
          const { generation } = build(objects.map((object) => asShown(object, before)));
          assert.deepEqual(sortedPaths(taken, indices(taken)), sortedPaths(generation, indices(generation)));
          for (const i of indices(taken)) {
            assert.equal(taken.versionName(i), generation.versionName(generation.find(taken.path(i))));
          }
        }
      }),
      { numRuns: 50 },
    );
  });
});
