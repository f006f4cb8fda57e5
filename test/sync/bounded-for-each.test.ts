import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Yielder } from '../../src/base/yielder.ts';
import { boundedForEach } from '../../src/sync/bounded-for-each.ts';

const never = new AbortController().signal;
const options = { total: 100, concurrency: 7, yielder: new Yielder(), signal: never };

describe('boundedForEach', () => {
  it('visits every position once, in order, so many at a time', async () => {
    const visited: number[] = [];
    let now = 0;
    let most = 0;
    await boundedForEach(options, async (position) => {
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
    await boundedForEach({ ...options, total: 0 }, () => assert.fail());
  });

  it('stops where a visit says so, aborts the others and waits for them', async () => {
    let ended = 0;
    let begun = 0;
    await boundedForEach(options, async (position, signal) => {
      begun += 1;
      if (position === 3) return 'stop';
      await new Promise<void>((resolve) => signal.addEventListener('abort', resolve));
      await turn();
      ended += 1;
      return 'next';
    });
    assert.equal(begun, 7);
    assert.equal(ended, 6);
  });

  it('rejects with the first error, not with those of the visits that it aborted', async () => {
    const iterating = boundedForEach(options, async (position, signal) => {
      if (position === 3) throw new Error('the cause');
      await new Promise<void>((resolve) => signal.addEventListener('abort', resolve));
      throw new Error('a consequence');
    });
    await assert.rejects(iterating, /the cause/);
  });

  it('rejects with the reason of the signal, once no visit is under way', async () => {
    const abort = new AbortController();
    let under = 0;
    const iterating = boundedForEach({ ...options, signal: abort.signal }, async (_, signal) => {
      under += 1;
      await new Promise<void>((resolve) => signal.addEventListener('abort', resolve));
      await turn();
      under -= 1;
      return 'next';
    });
    abort.abort(new Error('enough'));
    await assert.rejects(iterating, /enough/);
    assert.equal(under, 0);
  });

  it('lets the event loop turn though every visit is resolved at once', async () => {
    let turns = 0;
    const timer = setInterval(() => {
      turns += 1;
    }, 1);
    await boundedForEach(
      { ...options, total: 500_000, yielder: new Yielder({ sliceMs: 1 }) },
      async () => 'next',
    );
    clearInterval(timer);
    assert.ok(turns > 0);
  });
});
