import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { StoreClock } from '../../src/store/store-clock.ts';

const START = Date.UTC(2026, 10, 20, 12, 0, 0, 250);

/** Observes an answer of a store whose clock is `offset` ahead; the answer took `took` milliseconds. */
function observe(
  clock: StoreClock,
  offset: number,
  at: number,
  took: number,
  answeredAfter = took / 2,
): void {
  const date = Math.floor((at + answeredAfter + offset) / 1000) * 1000;
  clock.observe({ sent: at, received: at + took, date });
}

describe("the store's clock", () => {
  test('is not known before the first Date, and to a second by one', () => {
    const clock = new StoreClock();
    assert.equal(clock.offset, 0);
    assert.equal(clock.uncertainty, Number.POSITIVE_INFINITY);
    observe(clock, 5_000, START, 20);
    assert.ok(Math.abs(clock.offset - 5_000) <= clock.uncertainty);
    assert.ok(clock.uncertainty <= 510);
  });

  test('is as good as its bound says, whatever the answers take', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -86_400_000, max: 86_400_000 }),
        fc.array(
          fc.tuple(
            fc.integer({ min: 1, max: 20_000 }),
            fc.integer({ min: 0, max: 900 }),
            fc.double({ min: 0, max: 1, noNaN: true }),
          ),
          {
            minLength: 1,
            maxLength: 30,
          },
        ),
        (offset, answers) => {
          const clock = new StoreClock();
          let at = START;
          for (const [pause, took, share] of answers) {
            at += pause;
            observe(clock, offset, at, took, took * share);
            at += took;
          }
          assert.ok(Math.abs(clock.offset - offset) <= clock.uncertainty + 1e-6);
        },
      ),
    );
  });

  test('is known better the more answers come at different parts of a second', () => {
    const clock = new StoreClock();
    for (let at = 0; at < 20; at++) observe(clock, 7_321, START + at * 10_137, 10);
    assert.ok(clock.uncertainty < 100, String(clock.uncertainty));
    assert.ok(Math.abs(clock.offset - 7_321) < 100, String(clock.offset));
  });

  test("is this host's, where the two agree as far as is known", () => {
    const clock = new StoreClock();
    for (let at = 0; at < 20; at++) observe(clock, 3, START + at * 10_137, 20);
    assert.equal(clock.offset, 0);
  });

  test('is learnt anew when one of the two is set', () => {
    const clock = new StoreClock();
    observe(clock, 0, START, 20);
    observe(clock, 3_600_000, START + 10_000, 20);
    assert.ok(Math.abs(clock.offset - 3_600_000) <= 510);
  });

  test('takes no answer that came before it was asked for', () => {
    const clock = new StoreClock();
    clock.observe({ sent: START, received: START - 5_000, date: START });
    assert.equal(clock.offset, 0);
    clock.observe({ sent: START, received: START, date: Number.NaN });
    assert.equal(clock.uncertainty, Number.POSITIVE_INFINITY);
  });
});
