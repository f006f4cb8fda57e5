import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ContentVersion } from '../../src/base/content-version.ts';
import type { CacheStats, ContentCache } from '../../src/cache/content-cache.ts';
import { contentBytes } from '../../src/cache/trailer.ts';
import { waitFor } from '../support/wait-for.ts';
import { ensure, Fixture, fixture, lockDouble, readMemory } from './fixture.ts';

/** Bytes of content on disk by version name, read from the files themselves. */
function onDisk(f: Fixture): Map<string, number> {
  return new Map(
    f.files().map((path) => {
      const file = readFileSync(join(f.directory, 'blobs', path));
      return [path.replace('/', ''), contentBytes(file, file.length) ?? Number.NaN];
    }),
  );
}

function sum(numbers: Iterable<number>): number {
  return [...numbers].reduce((total, number) => total + number, 0);
}

test('what is shown stays when other content needs room, and what is not goes', async (t) => {
  const f = fixture(t);
  const cache = await f.open({ limitBytes: 1000 });
  const shown = f.store.putRandom('shown', 500);
  const old = f.store.putRandom('old', 400);
  cache.show(shown, 'within');
  await ensure(cache, f, shown);
  await ensure(cache, f, old);
  assert.equal((await ensure(cache, f, f.store.putRandom('new', 300))).kind, 'local');
  assert.deepEqual([cache.has(shown), cache.has(old)], [true, false]);
  const large = f.store.putRandom('large', 600);
  assert.deepEqual(readMemory(await ensure(cache, f, large)), f.store.content('large'));
  assert.equal(f.files().length, 2);
  assert.deepEqual(cache.stats().degraded, []);
});

test('fetches under way at the same time do not exceed the limit together', async (t) => {
  const f = fixture(t);
  const cache = await f.open({ limitBytes: 1000 });
  const versions = Array.from({ length: 8 }, (_, i) => f.store.putRandom(`a-${i}`, 300));
  f.store.hold();
  const asked = versions.map((version) => ensure(cache, f, version));
  await waitFor('eight requests', () => f.store.requests.length === 8);
  f.store.release();
  const kinds = (await Promise.all(asked)).map(({ kind }) => kind);
  assert.equal(kinds.filter((kind) => kind === 'local').length, 3);
  assert.equal(sum(onDisk(f).values()), 900);
  assert.equal(cache.stats().bytes, 900);
});

test('a replaced version that is pinned is read on while the new one fills the cache', async (t) => {
  const f = fixture(t);
  const cache = await f.open({ limitBytes: 1000 });
  const before = f.store.putRandom('a', 800);
  cache.show(before, 'within');
  await ensure(cache, f, before);
  cache.pin(before.name);
  cache.hide(before);
  const after = f.store.putRandom('a', 800);
  cache.show(after, 'within');
  assert.equal((await ensure(cache, f, after)).kind, 'memory');
  assert.equal(cache.has(before), true);
  assert.equal(cache.stats().pinned, 1);
  cache.unpin(before.name);
  assert.equal((await ensure(cache, f, after)).kind, 'local');
  assert.equal(cache.has(before), false);
});

test('content that loses its place while it is fetched is served all the same', async (t) => {
  const f = fixture(t);
  const cache = await f.open({ limitBytes: 1000 });
  const shown = f.store.putRandom('shown', 800);
  cache.show(shown, 'within');
  await ensure(cache, f, shown);
  const pinned = f.store.putRandom('pinned', 800);
  cache.pin(pinned.name);
  f.store.hold();
  const asked = ensure(cache, f, pinned);
  await waitFor('two requests', () => f.store.requests.length === 2);
  cache.unpin(pinned.name);
  f.store.release();
  assert.deepEqual(readMemory(await asked), f.store.content('pinned'));
  assert.deepEqual([...onDisk(f).keys()], [shown.name]);
  assert.equal(cache.stats().bytes, 800);
});

const LIMIT = 10_000;

type Step =
  | { readonly do: 'read'; readonly of: readonly number[] }
  | { readonly do: 'within' | 'past' | 'hide' | 'pin' | 'unpin'; readonly of: number }
  | { readonly do: 'restart' | 'kill' | 'verify' };

const one = fc.nat(9);
const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('read' as const), of: fc.array(one, { maxLength: 4 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constantFrom('within', 'past', 'hide', 'pin', 'unpin'), of: one }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('restart', 'kill', 'verify') }) },
);

/** The expected state of a cache after the calls made to it. */
class Model {
  readonly #f: Fixture;
  readonly #versions: readonly ContentVersion[];
  readonly #shown = new Map<ContentVersion, 'within' | 'past'>();
  readonly #pins = new Map<ContentVersion, number>();
  #cache: ContentCache | undefined;

  constructor(f: Fixture, sizes: readonly number[]) {
    this.#f = f;
    this.#versions = sizes.map((size, i) => f.store.putRandom(`path-${i}`, size));
  }

  async open(): Promise<ContentCache> {
    // A new lock each time, since a killed process holds none.
    this.#cache = await this.#f.open({ limitBytes: LIMIT, lock: lockDouble() });
    return this.#cache;
  }

  async apply(step: Step): Promise<void> {
    const cache = this.#cache ?? (await this.open());
    switch (step.do) {
      case 'read': {
        const kept = this.#versions.filter((version) => this.#isKept(version) && cache.has(version));
        await Promise.all(step.of.map((i) => ensure(cache, this.#f, this.#versions[i]!)));
        for (const version of kept) assert.ok(cache.has(version), 'what is kept goes for no other');
        return;
      }
      case 'within':
      case 'past':
        this.#shown.set(this.#versions[step.of]!, step.do);
        return cache.show(this.#versions[step.of]!, step.do);
      case 'hide':
        this.#shown.delete(this.#versions[step.of]!);
        return cache.hide(this.#versions[step.of]!);
      case 'pin':
        this.#pin(this.#versions[step.of]!, 1);
        return cache.pin(this.#versions[step.of]!.name);
      case 'unpin':
        this.#pin(this.#versions[step.of]!, -1);
        return cache.unpin(this.#versions[step.of]!.name);
      case 'restart':
        await cache.close();
        return this.#forget();
      case 'kill':
        return this.#forget();
      case 'verify':
        assert.deepEqual((await cache.verify({ signal: this.#f.signal })).corrupt, []);
        return;
      default:
        step satisfies never;
    }
  }

  check({ bytes, entries, corrupt, degraded }: CacheStats): void {
    const files = onDisk(this.#f);
    assert.deepEqual({ bytes, entries }, { bytes: sum(files.values()), entries: files.size });
    assert.deepEqual({ corrupt, degraded }, { corrupt: 0, degraded: [] });
    const unpinned = this.#versions.filter((version) => files.has(version.name) && !this.#isPinned(version));
    const past = unpinned.filter((version) => this.#shown.get(version) === 'past');
    assert.ok(sum(unpinned.map(({ size }) => size)) <= LIMIT, 'what is not pinned is within the limit');
    assert.ok(sum(past.map(({ size }) => size)) <= LIMIT / 2, 'what is past the bound takes half at most');
  }

  #forget(): void {
    this.#cache = undefined;
    this.#shown.clear();
    this.#pins.clear();
  }

  #pin(version: ContentVersion, one: 1 | -1): void {
    this.#pins.set(version, Math.max(0, (this.#pins.get(version) ?? 0) + one));
  }

  #isPinned(version: ContentVersion): boolean {
    return (this.#pins.get(version) ?? 0) > 0;
  }

  #isKept(version: ContentVersion): boolean {
    return this.#isPinned(version) || this.#shown.get(version) === 'within';
  }
}

test('whatever is read, shown and pinned: the books are what is on disk, and the limit holds over restarts', async () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 6000 }), { minLength: 10, maxLength: 10 });
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { maxLength: 25 }), sizes, async (todo, bytes) => {
      const root = mkdtempSync(join(tmpdir(), 'dagmount-cache-'));
      const f = new Fixture(join(root, 'v1', 'id'));
      try {
        const model = new Model(f, bytes);
        let cache = await model.open();
        for (const step of todo) {
          await model.apply(step);
          if (step.do === 'restart' || step.do === 'kill') cache = await model.open();
          model.check(cache.stats());
        }
      } finally {
        await f.close();
        rmSync(root, { recursive: true });
      }
    }),
    { numRuns: 60 },
  );
});
