import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Pace } from '../../src/sync/pace.ts';
import { sweep } from '../../src/sync/sweep.ts';

const never = new AbortController().signal;
const options = { total: 100, concurrency: 7, pace: new Pace(), signal: never };

describe('sweep', () => {
  it('visits every position once, in order, so many at a time', async () => {
    const visited: number[] = [];
    let now = 0;
    let most = 0;
    await sweep(options, async (position) => {
      visited.push(position);
      now += 1;
      most = Math.max(most, now);
      await turn();
      now -= 1;
      return 'next';
    });
    assert.deepEqual(
      visited,
      Array.from({ length: 100 }, (_, position) => position),
    );
    assert.equal(most, 7);
  });

  it('has nothing to do for no positions', async () => {
    await sweep({ ...options, total: 0 }, () => assert.fail());
  });

  it('stops where a visit says so, aborts the others and waits for them', async () => {
    let ended = 0;
    let begun = 0;
    await sweep(options, async (position, signal) => {
      begun += 1;
      if (position === 3) return 'stop';
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      await turn();
      ended += 1;
      return 'next';
    });
    assert.equal(begun, 7);
    assert.equal(ended, 6);
  });

  it('rejects with the first error, not with those of the visits that it aborted', async () => {
    const sweeping = sweep(options, async (position, signal) => {
      if (position === 3) throw new Error('the cause');
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      throw new Error('a consequence');
    });
    await assert.rejects(sweeping, /the cause/);
  });

  it('rejects with the reason of the signal, once no visit is under way', async () => {
    const abort = new AbortController();
    let under = 0;
    const sweeping = sweep({ ...options, signal: abort.signal }, async (_, signal) => {
      under += 1;
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      await turn();
      under -= 1;
      return 'next';
    });
    abort.abort(new Error('enough'));
    await assert.rejects(sweeping, /enough/);
    assert.equal(under, 0);
  });

  it('lets the event loop turn though every visit is resolved at once', async () => {
    let turns = 0;
    const timer = setInterval(() => {
      turns += 1;
    }, 1);
    await sweep({ ...options, total: 500_000, pace: new Pace(1) }, async () => 'next');
    clearInterval(timer);
    assert.ok(turns > 0);
  });
});
