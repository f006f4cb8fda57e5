import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Candidate } from '../../src/source/source.ts';
import { settle } from '../../src/sync/settle.ts';
import { FakeClock } from '../support/fake-clock.ts';

const listed = (digest: string): Candidate => ({ digest, objects: 1, requests: 1 });

interface Scenario {
  readonly settleMs: number;
  /** Digests of the listings after the first one, which is 'a'. After these, each listing has a new digest. */
  readonly digests: readonly string[];
  readonly listingMs?: number;
  readonly stepEachListing?: number;
}

async function run({ settleMs, digests, listingMs = 0, stepEachListing = 0 }: Scenario) {
  const clock = new FakeClock();
  const start = clock.now();
  const { signal } = new AbortController();
  let listings = 1;
  const list = async (): Promise<Candidate> => {
    listings += 1;
    if (listingMs > 0) await clock.sleep(listingMs, signal);
    clock.step(stepEachListing);
    return listed(digests[listings - 2] ?? `new${listings}`);
  };
  const result = await clock.drive(settle({ first: listed('a'), settleMs, list, clock, signal }));
  return { digest: result.listed.digest, kind: result.kind, listings, elapsed: clock.now() - start };
}

describe('settle', () => {
  it('goes on when two listings in a row are equal', async () => {
    assert.deepEqual(await run({ settleMs: 1000, digests: ['a'] }), {
      digest: 'a',
      kind: 'settled',
      listings: 2,
      elapsed: 1000,
    });
    assert.deepEqual(await run({ settleMs: 1000, digests: ['b', 'c', 'c'] }), {
      digest: 'c',
      kind: 'settled',
      listings: 4,
      elapsed: 3000,
    });
  });

  it('does not take a listing for settled that is equal to an older one only', async () => {
    assert.equal((await run({ settleMs: 1000, digests: ['b', 'a', 'b', 'b'] })).listings, 5);
  });

  it('goes on with the newest after ten times the interval', async () => {
    assert.deepEqual(await run({ settleMs: 1000, digests: [] }), {
      digest: 'new11',
      kind: 'overdue',
      listings: 11,
      elapsed: 10_000,
    });
  });

  it('takes at least three listings, however long they last', async () => {
    assert.deepEqual(await run({ settleMs: 1000, digests: [], listingMs: 20_000 }), {
      digest: 'new3',
      kind: 'overdue',
      listings: 3,
      elapsed: 42_000,
    });
  });

  it('is over at once when the interval is 0', async () => {
    assert.deepEqual(await run({ settleMs: 0, digests: [] }), {
      digest: 'a',
      kind: 'settled',
      listings: 1,
      elapsed: 0,
    });
  });

  it('is not prolonged by a clock that steps back', async () => {
    assert.equal((await run({ settleMs: 1000, digests: [], stepEachListing: -60_000 })).listings, 11);
  });

  it('rejects as the listing does', async () => {
    const clock = new FakeClock();
    const { signal } = new AbortController();
    const list = (): Promise<Candidate> => Promise.reject(new Error('page 2'));
    await assert.rejects(
      clock.drive(settle({ first: listed('a'), settleMs: 10, list, clock, signal })),
      /page 2/,
    );
  });

  it('ends when it is aborted', async () => {
    const clock = new FakeClock();
    const abort = new AbortController();
    const settling = settle({
      first: listed('a'),
      settleMs: 1000,
      list: async () => listed('b'),
      clock,
      signal: abort.signal,
    });
    abort.abort();
    await assert.rejects(settling, { name: 'AbortError' });
  });
});
