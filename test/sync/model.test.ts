import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Publication } from '../../src/sync/ports.ts';
import { mtimes } from './doubles/trees.ts';
import { World } from './doubles/world.ts';

type Step =
  | { readonly kind: 'put' | 'delete'; readonly path: string }
  | { readonly kind: 'advance'; readonly ms: number }
  | { readonly kind: 'clock'; readonly ms: number }
  | { readonly kind: 'list-fails' | 'fetch-fails'; readonly code: string | undefined }
  | { readonly kind: 'races' | 'object-comes'; readonly path: string }
  | { readonly kind: 'object-fails'; readonly path: string; readonly code: string }
  | { readonly kind: 'release' | 'accept' | 'refresh' };

const path = fc.constantFrom(
  'a',
  'b',
  'd/.airflowignore',
  'd/a',
  'd/b',
  'd/e/f',
  'd/e/g',
  'g/h',
  'a/below',
  ...numbered(),
);
const trouble = fc.constantFrom('unreachable', 'throttled', 'expired', 'corrupt', undefined, undefined);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constantFrom('put', 'delete'), path }) },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('advance'), ms: fc.integer({ min: 0, max: 12_000 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('clock'), ms: fc.integer({ min: -9_000, max: 9_000 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('list-fails', 'fetch-fails'), code: trouble }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('races', 'object-comes'), path }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('object-fails'),
      path,
      code: fc.constantFrom('unreachable', 'denied', 'corrupt', 'changed', 'gone'),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ kind: 'release' }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'accept' }) },
  { weight: 4, arbitrary: fc.constant({ kind: 'refresh' }) },
);

function numbered(): readonly string[] {
  return Array.from({ length: 10 }, (_, number) => `many/file${number}`);
}

/** Checks every publication as it reaches the presenter. */
class Witness {
  readonly #world: World;
  /** What each listing found, as path and ETag. */
  readonly #snapshots = new Set<string>();
  readonly #lastSecond = new Map<string, bigint>();
  #publicationSecond = -1n;
  /** Thrown only at the end: an error of the presenter would count as a failed revalidation, and be retried. */
  #failure: unknown;

  constructor(world: World) {
    this.#world = world;
    world.source.onList = () => void this.#snapshots.add(this.#snapshot());
    world.presenter.onPublish = (publication) => {
      try {
        this.#check(publication);
      } catch (error) {
        this.#failure ??= error;
      }
    };
  }

  conclude(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  #snapshot(): string {
    const { objects } = this.#world.source;
    // If an object and a directory have the same path, the directory wins.
    const shown = [...objects].filter(
      ([key]) => ![...objects.keys()].some((other) => other.startsWith(`${key}/`)),
    );
    return JSON.stringify(shown.map(([key, { etag }]) => [key, etag]).sort());
  }

  #check({ generation, changes, fingerprints }: Publication): void {
    const files: [string, string][] = [];
    for (let index = 0; index < generation.entries; index++) {
      if (!generation.isDirectory(index)) files.push([generation.path(index), generation.etag(index)]);
    }
    assert.ok(this.#snapshots.has(JSON.stringify(files.sort())), 'this is no complete listing');

    if (changes === undefined) return;
    const news = [...changes.added, ...changes.changed].filter((index) => !generation.isDirectory(index));
    for (const index of news) {
      // An object that alone cannot be fetched must not hold up all others for ever, so it is shown nevertheless.
      const isFailing = this.#world.cache.failures.has(generation.path(index));
      if (isFailing && !generation.path(index).endsWith('.airflowignore')) continue;
      assert.ok(this.#world.cache.has(generation.version(index)), 'this was not prefetched');
      assert.notEqual(fingerprints[index], 0n);
    }
    const dates = mtimes(generation);
    const publicationSeconds = new Set<bigint>();
    for (const index of [...news, ...changes.touched]) {
      const shown = generation.path(index);
      const second = dates.get(shown)! / 1_000_000_000n;
      publicationSeconds.add(second);
      const before = this.#lastSecond.get(shown);
      assert.ok(before === undefined || second > before, `the mtime of ${shown} did not rise`);
      this.#lastSecond.set(shown, second);
    }
    assert.equal(publicationSeconds.size, 1);
    const [second] = publicationSeconds;
    assert.ok(second! > this.#publicationSecond, 'two publications in one second');
    this.#publicationSecond = second!;
  }
}

async function apply(world: World, next: Step): Promise<void> {
  switch (next.kind) {
    case 'put':
      return world.source.put(next.path, `content ${world.source.objects.size}`);
    case 'delete':
      return world.source.delete(next.path);
    case 'advance':
      return world.clock.advance(next.ms);
    case 'clock':
      return world.clock.step(next.ms);
    case 'list-fails':
      world.source.listFails = next.code;
      return;
    case 'fetch-fails':
      world.cache.allFail = next.code;
      return;
    case 'object-fails':
      world.cache.failures.set(next.path, next.code);
      return;
    case 'object-comes':
      world.cache.failures.delete(next.path);
      return;
    case 'races': {
      // The next fetch finds an object that was put after the listing.
      world.cache.onFetch = () => {
        world.cache.onFetch = () => undefined;
        if (world.source.objects.has(next.path)) world.source.put(next.path, 'raced');
      };
      return;
    }
    case 'release': {
      // The kernel releases every node that is not shown any more.
      const [shown, ...older] = world.presenter.publications.toReversed();
      const gone = new Set<number>();
      for (const { generation } of older) {
        for (let index = 0; index < generation.entries; index++) {
          const nodeId = generation.nodeId(index);
          if (shown!.generation.indexOfNode(nodeId) === -1) gone.add(nodeId);
        }
      }
      return world.presenter.release(...gone);
    }
    case 'accept':
    case 'refresh': {
      const asked = next.kind === 'accept' ? world.sync.accept() : world.sync.refresh();
      asked.catch(() => undefined);
      return world.clock.settle();
    }
    default:
      next satisfies never;
  }
}

function isLocal({ presenter }: World): boolean {
  const { generation, fingerprints } = presenter.publications.at(-1)!;
  return fingerprints.every((fingerprint, index) => generation.isDirectory(index) || fingerprint !== 0n);
}

describe('for any sequence of changes, faults and clock readings', () => {
  for (const settleMs of [0, 1000]) {
    it(`every publication is whole, local and later than the last, with --settle ${settleMs} ms`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), trouble, async (steps, atStart) => {
          const world = new World({ settleMs });
          try {
            const witness = new Witness(world);
            for (const name of numbered()) world.source.put(name);
            world.cache.allFail = atStart;
            await world.start();
            for (const next of steps) await apply(world, next);

            // Every fault ends. Then the tree must show what the bucket has, unless that is held.
            world.source.listFails = undefined;
            world.cache.allFail = undefined;
            world.cache.failures.clear();
            world.cache.onFetch = () => undefined;
            await world.clock.advance(60_000);
            witness.conclude();
            // Failed fetches are retried within ten minutes.
            for (let minute = 0; minute < 10 && !isLocal(world); minute++) await world.clock.advance(60_000);
            const { view } = world.sync;
            assert.equal(view.source.lastError, undefined);
            assert.ok(view.ready);
            assert.equal(world.log.count('error'), 0);
            assert.ok(view.held !== undefined || isLocal(world), 'something is not local');
            const { generation } = world.presenter.publications.at(-1)!;
            const names = new Set<string>();
            for (let index = 0; index < generation.entries; index++) {
              if (generation.isDirectory(index)) continue;
              names.add(generation.versionName(index));
              if (view.held !== undefined) continue;
              assert.equal(generation.etag(index), world.source.objects.get(generation.path(index))?.etag);
            }
            assert.deepEqual(new Set(world.cache.shown.keys()), names);
          } finally {
            await world.stop();
          }
        }),
        { numRuns: 100 },
      );
    });
  }
});
