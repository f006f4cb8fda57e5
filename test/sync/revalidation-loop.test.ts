import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import fc from 'fast-check';
import { type Deferred, deferred } from '../../src/base/waiting.ts';
import { RevalidationLoop } from '../../src/sync/revalidation-loop.ts';
import { FakeClock } from '../support/fake-clock.ts';

interface Outcome {
  readonly kind: 'current' | 'failed';
  readonly number: number;
}

describe('the revalidation loop', () => {
  let clock: FakeClock;
  let abort: AbortController;
  let begun: number[];
  let accepted: (string | undefined)[];
  let kind: Outcome['kind'];
  let hold: Deferred<void> | undefined;
  /** Ascending times at which a revalidation is due. */
  let due: readonly number[];
  let loop: RevalidationLoop<Outcome>;
  let running: Promise<void>;

  beforeEach(() => {
    clock = new FakeClock();
    abort = new AbortController();
    begun = [];
    accepted = [];
    kind = 'current';
    hold = undefined;
    due = [];
    loop = new RevalidationLoop<Outcome>({
      clock,
      pollMs: 10_000,
      waitingLeftMs: () => 60_000,
      dueAfter: (time) => due.find((at) => at > time) ?? Number.POSITIVE_INFINITY,
      revalidate: async (accept) => {
        begun.push(clock.now());
        // A loop without pauses would never let time pass.
        if (begun.length > 100) abort.abort();
        accepted.push(accept);
        const number = begun.length;
        await hold?.promise;
        return { kind, number };
      },
    });
    running = loop.run(abort.signal);
  });

  afterEach(async () => {
    abort.abort();
    hold?.resolve();
    await running;
  });

  it('polls on the interval, which differs by a tenth', async () => {
    const start = clock.now();
    clock.nextRandoms(0, 0.999_999, 0.25);
    // The first interval was chosen before these random numbers, so it is the middle one.
    await clock.advance(40_000);
    const intervals = begun.map((at, poll) => Math.round(at - (begun[poll - 1] ?? start)));
    assert.deepEqual(intervals, [10_000, 9_000, 11_000, 9_500]);
  });

  it('tries a failed revalidation again after a random time from 1 s to the interval', async () => {
    await clock.settle();
    kind = 'failed';
    clock.nextRandoms(0, 0.999_999);
    await clock.advance(10_000 + 1_000 + 10_000);
    assert.deepEqual(
      begun.map((at) => Math.round(at - begun[0]!)),
      [0, 1_000, 11_000],
    );
  });

  it('revalidates once at each time that is due, also while it fails', async () => {
    const start = clock.now();
    due = [start + 12_000, start + 14_000];
    kind = 'failed';
    await clock.advance(26_000);
    assert.deepEqual(
      begun.map((at) => Math.round(at - start)),
      [10_000, 12_000, 14_000, 19_500, 25_000],
    );
  });

  it('revalidates at a time that is due before the first poll', async () => {
    abort.abort();
    await running;
    abort = new AbortController();
    due = [clock.now() + 4_000];
    running = loop.run(abort.signal);
    await clock.advance(5_000);
    assert.deepEqual(begun, due);
  });

  it('revalidates at once, and once, where the time came during the last revalidation', async () => {
    const start = clock.now();
    due = [start + 12_000];
    hold = deferred();
    await clock.advance(13_000);
    hold.resolve();
    hold = undefined;
    await clock.advance(11_000);
    assert.deepEqual(
      begun.map((at) => Math.round(at - start)),
      [10_000, 13_000, 23_000],
    );
  });

  it('revalidates at once when asked to', async () => {
    const start = clock.now();
    const outcome = await loop.refresh();
    assert.deepEqual(outcome, { kind: 'current', number: 1 });
    assert.equal(clock.now(), start);
  });

  it('answers a request by a revalidation that began after it, and all that wait by the same', async () => {
    hold = deferred();
    const first = loop.refresh();
    await clock.settle();
    assert.equal(begun.length, 1);
    const others = [loop.refresh(), loop.refresh()];
    hold.resolve();
    hold = undefined;
    assert.equal((await first).number, 1);
    for (const outcome of await Promise.all(others)) assert.equal(outcome.number, 2);
    assert.equal(begun.length, 2);
  });

  it('answers every request by a later revalidation, whenever requests come', async () => {
    const pauses = fc.array(fc.integer({ min: 0, max: 4_000 }), { minLength: 1, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(pauses, async (delays) => {
        const own = new FakeClock();
        const end = new AbortController();
        const starts: number[] = [];
        let order = 0;
        const slow = new RevalidationLoop<{ readonly kind: 'current'; readonly run: number }>({
          waitingLeftMs: () => 0,
          clock: own,
          pollMs: 5_000,
          revalidate: async (_, signal) => {
            order += 1;
            starts.push(order);
            const run = starts.length - 1;
            await own.sleep(1_500, signal);
            return { kind: 'current', run };
          },
        });
        const ended = slow.run(end.signal);
        const checks: Promise<void>[] = [];
        for (const delay of delays) {
          await own.advance(delay);
          order += 1;
          const asked = order;
          const before = starts.length;
          checks.push(
            slow.refresh().then(({ run }) => {
              assert.ok(starts[run]! > asked, 'it began before the request');
              assert.ok(run <= before, 'it is not the next one');
            }),
          );
        }
        await own.drive(Promise.all(checks));
        end.abort();
        await ended;
      }),
      { numRuns: 25 },
    );
  });

  it('accepts one id at a time', async () => {
    hold = deferred();
    const first = loop.refresh();
    await clock.settle();
    const both = [loop.refresh('a'), loop.refresh('b'), loop.refresh()];
    hold.resolve();
    hold = undefined;
    await Promise.all([first, ...both]);
    assert.deepEqual(accepted, [undefined, 'a', 'b']);
  });

  it('ends promptly when it is aborted, and rejects whoever waits', async () => {
    await clock.settle();
    hold = deferred();
    const served = assert.rejects(loop.refresh(), /the end/);
    await clock.settle();
    const waiting = assert.rejects(loop.refresh(), /the end/);
    kind = 'failed';
    abort.abort(new Error('the end'));
    hold.resolve();
    await running;
    await Promise.all([served, waiting]);
    await assert.rejects(loop.refresh(), /the end/);
    assert.equal(clock.sleeping, 0);
  });
});
