import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Clock } from '../../src/base/clock.ts';
import { chooseInstant, millisecondsOf, untilPassed } from '../../src/sync/instant.ts';
import { FakeClock } from '../support/fake-clock.ts';

const { signal } = new AbortController();
const T0 = Date.UTC(2026, 0, 1);

describe('the instant of a publication', () => {
  it('lies a little ahead, with its fraction of a second', async () => {
    const clock = new FakeClock(T0 + 250);
    const instant = await chooseInstant(0, clock, signal);
    assert.deepEqual(instant, { seconds: T0 / 1000, nanoseconds: 340_000_000 });
  });

  it('waits for the next second where this one has had a publication', async () => {
    const clock = new FakeClock(T0 + 250);
    const instant = await clock.drive(chooseInstant(T0 / 1000, clock, signal));
    assert.equal(instant.seconds, T0 / 1000 + 1);
    const ahead = millisecondsOf(instant) - clock.now();
    assert.ok(ahead > 0 && ahead <= 100, `${ahead} ms ahead`);
  });

  it('is the next second at once where the clock stepped back by more than two', async () => {
    const clock = new FakeClock(T0);
    const last = T0 / 1000 + 3600;
    assert.deepEqual(await chooseInstant(last, clock, signal), { seconds: last + 1, nanoseconds: 0 });
    await untilPassed({ seconds: last + 1, nanoseconds: 0 }, clock, signal);
    assert.equal(clock.now(), T0);
  });

  it('has passed once it is waited for', async () => {
    const clock = new FakeClock(T0);
    const instant = await chooseInstant(0, clock, signal);
    await clock.drive(untilPassed(instant, clock, signal));
    assert.ok(clock.now() > millisecondsOf(instant));
  });

  it('has strictly increasing whole seconds for any sequence of clock readings', async () => {
    const readings = fc.array(
      fc.oneof(
        fc.integer({ min: -5_000, max: 5_000 }),
        fc.integer({ min: -10_000_000, max: 10_000_000 }),
        fc.constant(0),
        fc.double({ min: -2, max: 2, noNaN: true }),
      ),
      { minLength: 4, maxLength: 60 },
    );
    await fc.assert(
      fc.asyncProperty(readings, async (steps) => {
        let now = T0;
        let reading = 0;
        // Each reading of the clock finds it stepped, and sleeping may take no time at all.
        const clock: Clock = {
          now: () => {
            now += steps[reading++ % steps.length]!;
            return now;
          },
          sleep: () => Promise.resolve(),
          alarm: () => () => undefined,
          random: () => 0.5,
        };
        let lastSecond = T0 / 1000;
        for (let publication = 0; publication < 20; publication++) {
          const instant = await chooseInstant(lastSecond, clock, signal);
          assert.ok(Number.isInteger(instant.seconds) && instant.seconds > lastSecond);
          assert.ok(instant.nanoseconds >= 0 && instant.nanoseconds < 1e9);
          assert.ok(Number.isInteger(instant.nanoseconds));
          await untilPassed(instant, clock, signal);
          lastSecond = instant.seconds;
        }
      }),
    );
  });

  it('is never more than 100 ms ahead where the clock only goes forward', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 3000 }), { maxLength: 30 }), async (pauses) => {
        const clock = new FakeClock(T0);
        let lastSecond = T0 / 1000;
        for (const pause of pauses) {
          clock.step(pause);
          const instant = await clock.drive(chooseInstant(lastSecond, clock, signal));
          const ahead = millisecondsOf(instant) - clock.now();
          assert.ok(ahead > 0 && ahead <= 100, `${ahead} ms ahead`);
          lastSecond = instant.seconds;
        }
      }),
      { numRuns: 20 },
    );
  });
});
