import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Look, ReleaseStep, Source, SourceHold } from '../../../src/source/source.ts';
import { StandbySource } from '../../../src/source/standby/standby-source.ts';
import { StoreError } from '../../../src/store/store-error.ts';
import { buildGeneration, type ListedObjects, PathFilter } from '../../../src/tree/index.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { RecordingLog } from '../../support/recording-log.ts';

const EMPTY: ListedObjects = {
  count: 0,
  keys: new Uint8Array(0),
  keyEnds: new Uint32Array(0),
  sizes: new Float64Array(0),
  lastModified: new Float64Array(0),
  etags: new Uint8Array(0),
  etagEnds: new Uint32Array(0),
  archived: new Uint8Array(0),
};

function stepOf(sequence: number, id = `sha256-${'a'.repeat(64)}`): ReleaseStep {
  const words = { author: 'zoe', message: 'm', commit: undefined, url: undefined };
  return { ref: 'production', sequence, id, ...words, created: 0, signedBy: [], allowsDeletions: false };
}

class Environment implements Source {
  readonly kind = 'release';
  step = stepOf(7);
  isDown = false;
  hold: SourceHold | undefined;

  async look(): Promise<Look> {
    if (this.isDown) throw new StoreError('unreachable', 'no route', 'Wait.', true);
    if (this.hold !== undefined) return { kind: 'held', hold: this.hold };
    const digest = digestOf(this.step);
    return { kind: 'candidate', candidate: { digest, objects: 0, requests: 1, release: this.step } };
  }

  build(): never {
    throw new Error('a release is judged by its step alone');
  }

  async accept(digest: string): Promise<boolean> {
    if (this.hold?.step?.digest !== digest) return false;
    this.hold = undefined;
    return true;
  }
}

function digestOf({ sequence, id }: ReleaseStep): string {
  return `${sequence} ${id}`;
}

function start() {
  const [first, second] = [new Environment(), new Environment()];
  const clock = new FakeClock();
  const { generation } = buildGeneration({
    objects: EMPTY,
    filter: PathFilter.compile({ include: [], exclude: [] }),
    previous: undefined,
    removedDirectories: new Map(),
    nextNodeId: 2,
    salt: 7n,
    now: 0,
  });
  const shown = { generation, publishedAt: 0, release: first.step };
  const content = { get: () => Promise.reject(new Error('nothing is read')) };
  const source = new StandbySource({
    first: { name: 's3://first/', source: first, content },
    standbys: [
      {
        name: 's3://second/',
        open: async () => ({ name: 's3://second/', source: second, content, check: async () => undefined }),
      },
    ],
    content: { use: () => undefined },
    followed: { recall: () => false, keep: () => undefined },
    afterMs: 0,
    isDown: () => true,
    shown: () => shown,
    hasSameBytes: async () => false,
    isRefusal: () => false,
    onChange: () => undefined,
    clock,
    log: new RecordingLog(),
  });
  const { signal } = new AbortController();
  return { first, second, clock, shown, source, look: () => source.look({ signal }) };
}

describe('the release of a standby', () => {
  it('is shown where its number is that of what is shown, or higher', async () => {
    const { first, second, look } = start();
    await look();
    first.isDown = true;
    assert.equal((await look()).kind, 'candidate');
    second.step = stepOf(8);
    assert.equal((await look()).kind, 'candidate');
  });

  for (const [what, step] of [
    ['an earlier step', stepOf(6)],
    ['another release under the same number', stepOf(7, `sha256-${'b'.repeat(64)}`)],
  ] as const) {
    it(`is held where it is ${what}`, async () => {
      const { first, second, look } = start();
      second.step = step;
      await look();
      first.isDown = true;
      const held = await look();
      assert.ok(held.kind === 'held');
      assert.equal(held.hold.reason, 'standby-behind');
      assert.match(held.hold.detail, /step 7 is shown/);
    });
  }

  it('is shown once it is accepted, though its number is lower, and by one word alone', async () => {
    const { first, second, source, look } = start();
    const { signal } = new AbortController();
    second.step = stepOf(6);
    await look();
    first.isDown = true;
    const held = await look();
    assert.ok(held.kind === 'held');
    assert.deepEqual(held.hold.step, {
      sequence: 6,
      release: second.step.id,
      digest: digestOf(second.step),
    });
    assert.equal(await source.accept(digestOf(stepOf(5)), { signal }), false);
    assert.equal((await look()).kind, 'held');
    assert.equal(await source.accept(digestOf(second.step), { signal }), true);
    assert.equal((await look()).kind, 'candidate');

    // The standby's own source has seen step 6, so it holds an earlier step.
    second.step = stepOf(5);
    second.hold = {
      reason: 'rolled-back',
      detail: 'Step 6 was seen.',
      hint: 'Look.',
      step: { sequence: 5, release: second.step.id, digest: digestOf(second.step) },
      acceptable: true,
    };
    assert.equal((await look()).kind, 'held');
    assert.equal(await source.accept(digestOf(second.step), { signal }), true);
    assert.equal((await look()).kind, 'candidate');
  });

  it('stays while the first has an earlier one', async () => {
    const { first, second, clock, shown, source, look } = start();
    await look();
    first.isDown = true;
    second.step = stepOf(8);
    await look();
    shown.release = second.step;
    first.isDown = false;
    for (let seconds = 0; seconds < 120; seconds += 10) {
      await clock.advance(10_000);
      await look();
      await source.idle();
    }
    assert.equal(source.view.isActive, true);
    first.step = stepOf(9);
    await clock.advance(10_000);
    const back = await look();
    assert.ok(back.kind === 'candidate' && back.candidate.release?.sequence === 9);
    assert.equal(source.view.isActive, false);
  });
});
