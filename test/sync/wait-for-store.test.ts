import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { waitForStore } from '../../src/sync/wait-for-store.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { FakeStoreError } from './doubles/fake-source.ts';

/** A start that fails with these codes in turn, each after a second, and then succeeds. */
function attempts(clock: FakeClock, ...codes: readonly string[]) {
  const left = [...codes];
  const made = { count: 0 };
  const start = async (): Promise<void> => {
    made.count += 1;
    await clock.sleep(1_000, new AbortController().signal);
    const code = left.shift();
    if (code !== undefined) throw new FakeStoreError(code);
  };
  return { start, made };
}

describe('a first start that waits for the store', () => {
  const signal = new AbortController().signal;

  it('goes on trying while it is away, and tells so once', async () => {
    const clock = new FakeClock();
    const log = new RecordingLog();
    const { start, made } = attempts(clock, 'unreachable', 'no-credentials', 'throttled');
    await clock.drive(waitForStore(start, { waitMs: 60_000, clock, log }, signal));
    assert.equal(made.count, 4);
    assert.equal(log.lines.filter(({ level }) => level === 'warn').length, 1);
  });

  it('ends with the error of the store when the time is over', async () => {
    const clock = new FakeClock();
    const { start } = attempts(clock, ...Array<string>(100).fill('unreachable'));
    const began = clock.now();
    const waiting = waitForStore(start, { waitMs: 30_000, clock, log: new RecordingLog() }, signal);
    await assert.rejects(clock.drive(waiting), { code: 'unreachable' });
    assert.ok(clock.now() - began >= 30_000);
  });

  it('does not wait at all unless it is told to', async () => {
    const clock = new FakeClock();
    const { start, made } = attempts(clock, 'unreachable');
    const waiting = waitForStore(start, { waitMs: 0, clock, log: new RecordingLog() }, signal);
    await assert.rejects(clock.drive(waiting), { code: 'unreachable' });
    assert.equal(made.count, 1);
  });

  for (const code of ['no-such-bucket', 'denied', 'not-s3', 'empty-source']) {
    it(`does not wait for what somebody has to hint: ${code}`, async () => {
      const clock = new FakeClock();
      const { start, made } = attempts(clock, code);
      const waiting = waitForStore(start, { waitMs: 60_000, clock, log: new RecordingLog() }, signal);
      await assert.rejects(clock.drive(waiting), { code });
      assert.equal(made.count, 1);
    });
  }

  it('is not ended by a clock that is set while it waits', async () => {
    const clock = new FakeClock();
    const { start, made } = attempts(clock, 'unreachable', 'clock-skew');
    let stepped = false;
    const stepping = async (): Promise<void> => {
      if (!stepped) clock.step(1e12);
      stepped = true;
      await start();
    };
    await clock.drive(waitForStore(stepping, { waitMs: 60_000, clock, log: new RecordingLog() }, signal));
    assert.equal(made.count, 3);
  });
});
