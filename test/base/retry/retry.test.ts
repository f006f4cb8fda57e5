import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { pauseAfter, retry } from '../../../src/base/retry/retry.ts';

describe('a retry', () => {
  const growing = { kind: 'growing', firstMs: 100, longestMs: 500, jitter: 0.5 } as const;

  test('goes on until it succeeds, with the pauses of its policy', async () => {
    const slept: number[] = [];
    const found = await retry(
      async (tries) => {
        if (tries < 5) throw new Error(`try ${tries}`);
        return tries;
      },
      {
        policy: { tries: 10, pauses: growing },
        mayRepair: () => true,
        sleep: async (ms) => slept.push(ms),
        random: () => 1,
      },
    );
    assert.equal(found, 5);
    assert.deepEqual(slept, [100, 200, 400, 500]);
  });

  test('ends with the last error after as many tries as the policy has, and sleeps no more then', async () => {
    const slept: number[] = [];
    let made = 0;
    const attempt = async (tries: number): Promise<never> => {
      made = tries;
      throw new Error(`try ${tries}`);
    };
    const retrying = { mayRepair: () => true, sleep: async (ms: number) => slept.push(ms), random: () => 0 };
    await assert.rejects(retry(attempt, { ...retrying, policy: { tries: 3, pauses: growing } }), /try 3/);
    assert.deepEqual([made, slept], [3, [50, 100]]);
    await assert.rejects(
      retry(attempt, { ...retrying, policy: { tries: 4, pauses: { kind: 'none' } } }),
      /try 4/,
    );
    assert.equal(slept.length, 2, 'no pause is none, not one of nothing');
  });

  test('ends at once with what no other try repairs, or with what is to be told instead', async () => {
    const policy = { tries: 10, pauses: { kind: 'none' } } as const;
    const others = { policy, sleep: async () => undefined, random: () => 0 };
    const attempt = async (): Promise<never> => {
      throw new Error('of the try');
    };
    await assert.rejects(retry(attempt, { ...others, mayRepair: () => false }), /of the try/);
    const mayRepair = (): boolean => {
      throw new Error('the deadline has passed');
    };
    await assert.rejects(retry(attempt, { ...others, mayRepair }), /the deadline/);
  });

  test('ends where its pause ends', async () => {
    const retrying = {
      policy: { tries: Number.POSITIVE_INFINITY, pauses: growing },
      mayRepair: () => true,
      sleep: () => Promise.reject(new Error('nobody waits')),
      random: () => 0,
    };
    const attempt = async (): Promise<never> => {
      throw new Error('of the try');
    };
    await assert.rejects(retry(attempt, retrying), /nobody waits/);
  });
});

describe('a pause', () => {
  test('that is random is between its least and its most, and never longer than the interval', () => {
    const pauses = { kind: 'random', leastMs: 1_000, mostMs: undefined } as const;
    assert.deepEqual(
      [0, 0.5, 1].map((random) => pauseAfter(pauses, 1, random, 11_000)),
      [1_000, 6_000, 11_000],
    );
    assert.equal(pauseAfter(pauses, 1, 0.5, 250), 250);
  });

  test('that grows is never longer than its longest, after however many tries', () => {
    const pauses = { kind: 'growing', firstMs: 100, longestMs: 2_000, jitter: 1 } as const;
    assert.deepEqual([pauseAfter(pauses, 2_000, 1), pauseAfter(pauses, 1, 0)], [2_000, 0]);
  });
});
