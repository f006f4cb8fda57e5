import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { deferred } from '../../src/base/waiting.ts';
import { EarlyLook } from '../../src/source/early-look.ts';
import type { Look, Source } from '../../src/source/source.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { waitFor } from '../support/wait-for.ts';
import { FakeCache } from '../sync/doubles/fake-cache.ts';
import { FakeSource } from '../sync/doubles/fake-source.ts';
import { World } from '../sync/doubles/world.ts';

const lookOf = (digest: string): Look => ({
  kind: 'candidate',
  candidate: { digest, objects: 1, requests: 1 },
});
const { signal } = new AbortController();

/** A source whose looks a test ends. */
function source(over = signal) {
  const clock = new FakeClock();
  const looks: { readonly signal: AbortSignal; end(look: Look): void; fail(error: Error): void }[] = [];
  const asked: Source = {
    kind: 'prefix',
    look: (options) => {
      const { promise, resolve, reject } = deferred<Look>();
      looks.push({ signal: options.signal, end: resolve, fail: reject });
      options.signal.addEventListener('abort', () => reject(options.signal.reason));
      return promise;
    },
    build: () => Promise.reject(new Error('not asked')),
    accept: async () => true,
  };
  const beganAt = clock.now();
  return { looks, clock, beganAt, early: new EarlyLook(asked, clock, over) };
}

describe('a look that begins before it is asked for', () => {
  it('is the first one, and only the first one', async () => {
    const { looks, clock, beganAt, early } = source();
    assert.equal(looks.length, 1);
    await clock.advance(1_000);
    looks[0]?.end(lookOf('one'));
    assert.deepEqual(await early.look({ signal }), { ...lookOf('one'), beganAt });
    const next = early.look({ signal });
    assert.equal(looks.length, 2);
    looks[1]?.end(lookOf('two'));
    assert.deepEqual(await next, lookOf('two'));
  });

  it('fails for the one who asks first, and for no one if nobody asks', async () => {
    const failed = source();
    failed.looks[0]?.fail(new Error('unreachable'));
    await assert.rejects(failed.early.look({ signal }), /unreachable/);
    const again = failed.early.look({ signal });
    failed.looks[1]?.end(lookOf('one'));
    assert.deepEqual(await again, lookOf('one'));
    // An unhandled rejection would end this process.
    source().looks[0]?.fail(new Error('unreachable'));
  });

  it('ends with the signal of the one who asked', async () => {
    const { looks, early } = source();
    const leaving = new AbortController();
    const asked = early.look({ signal: leaving.signal });
    leaving.abort(new Error('over'));
    await assert.rejects(asked, /over/);
    assert.equal(looks[0]?.signal.aborted, true);
    const other = source();
    await assert.rejects(other.early.look({ signal: leaving.signal }), /over/);
  });

  it('ends with the mount, also after it was asked for, since a source may go on in the background', async () => {
    const over = new AbortController();
    const { looks, early } = source(over.signal);
    looks[0]?.end(lookOf('one'));
    await early.look({ signal });
    over.abort(new Error('over'));
    assert.equal(looks[0]?.signal.aborted, true);
    const unasked = source();
    unasked.early.end();
    assert.equal(unasked.looks[0]?.signal.aborted, true);
  });

  it('is not used if it began too long ago, and has ended before the next one begins', async () => {
    const { looks, clock, early } = source();
    await clock.advance(6_000);
    const asked = early.look({ signal });
    assert.equal(looks[0]?.signal.aborted, true);
    await waitFor('another look', () => looks.length === 2);
    looks[1]?.end(lookOf('two'));
    assert.deepEqual(await asked, lookOf('two'));
  });

  it('does not end what a source does after its look, if it is not used', async () => {
    const { looks, clock, early } = source();
    looks[0]?.end(lookOf('one'));
    await clock.advance(6_000);
    const asked = early.look({ signal });
    await waitFor('another look', () => looks.length === 2);
    assert.equal(looks[0]?.signal.aborted, false);
    looks[1]?.end(lookOf('two'));
    assert.deepEqual(await asked, lookOf('two'));
  });
});

describe('the first tree of an early look', () => {
  it('is as fresh as the look, not as the moment when it was asked for', async (t) => {
    const clock = new FakeClock();
    const source = new FakeSource(() => clock.now());
    source.putFiles(3);
    const beganAt = clock.now();
    const early = new EarlyLook(source, clock, signal);
    await clock.advance(2_000);
    const succeeded: number[] = [];
    const options = {
      clock,
      source: early,
      cache: new FakeCache(source),
      onSuccess: (at: number) => succeeded.push(at),
    };
    const world = new World(options);
    t.after(() => world.stop());
    await clock.drive(world.sync.start(world.signal));
    assert.equal(source.listings, 1);
    assert.deepEqual([world.sync.view.source.lastSuccessAt, ...succeeded], [beganAt, beganAt]);
  });
});
