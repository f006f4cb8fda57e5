import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Turns } from '../../src/sync/turns.ts';

const { signal } = new AbortController();
const MIB = 2 ** 20;

/** Records the requests that got their turn, in order, and how to end each of them. */
class Requests {
  readonly went: number[] = [];
  readonly turns: Turns;
  readonly #ends: { readonly reader: number; readonly end: () => void }[] = [];

  constructor(requests: number, bytes = Number.MAX_SAFE_INTEGER) {
    this.turns = new Turns({ requests, bytes });
  }

  ask(reader: number, count = 1, bytes = 1): void {
    for (let i = 0; i < count; i++) {
      void this.turns.take(reader, bytes, signal).then((end) => {
        this.went.push(reader);
        this.#ends.push({ reader, end });
      });
    }
  }

  /** Ends the request that got its turn first, of all or of this reader. */
  async end(reader?: number): Promise<void> {
    const at = reader === undefined ? 0 : this.#ends.findIndex((each) => each.reader === reader);
    for (const { end } of this.#ends.splice(at, 1)) {
      end();
      end();
    }
    await settled();
  }

  /** The readers of the requests under way. */
  get underWay(): readonly number[] {
    return this.#ends.map(({ reader }) => reader);
  }

  countOf(reader: number): number {
    return this.went.filter((each) => each === reader).length;
  }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('the turns of readers', () => {
  test('leave one uid all of what may be under way but the reserve', async () => {
    const requests = new Requests(32);
    requests.ask(1, 500);
    await settled();
    assert.equal(requests.turns.underWay, 30);
  });

  test('let another uid go at once, however many of one are under way and wait', async () => {
    const requests = new Requests(32);
    requests.ask(1, 500);
    await settled();
    requests.ask(2, 48);
    await settled();
    assert.equal(requests.countOf(2), 1);
    requests.ask(3);
    await settled();
    assert.equal(requests.countOf(3), 1);
  });

  test('give a uid that has nothing under way its turn after at most one of every other', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 40 }),
        fc.array(
          fc.record({ reader: fc.integer({ min: 0, max: 6 }), count: fc.integer({ min: 1, max: 30 }) }),
          {
            maxLength: 12,
          },
        ),
        fc.array(fc.nat(), { maxLength: 200 }),
        async (limit, asked, ends) => {
          const requests = new Requests(limit);
          const total = new Map<number, number>();
          for (const { reader, count } of asked) {
            requests.ask(reader, count);
            total.set(reader, (total.get(reader) ?? 0) + count);
          }
          await settled();
          const waits = (reader: number): boolean => requests.countOf(reader) < (total.get(reader) ?? 0);
          const waited = new Map<number, number>();
          for (const choice of ends) {
            const underWay = requests.underWay;
            if (underWay.length === 0) break;
            const before = requests.went.length;
            await requests.end(underWay[choice % underWay.length]);
            assert.ok(requests.turns.underWay <= limit);
            for (const reader of total.keys()) {
              const isIdle = waits(reader) && !requests.underWay.includes(reader);
              const others = requests.went.length - before;
              waited.set(reader, isIdle ? (waited.get(reader) ?? 0) + others : 0);
              assert.ok(
                (waited.get(reader) ?? 0) < total.size,
                `${reader} waits for ${waited.get(reader)} turns`,
              );
            }
          }
          while (requests.turns.underWay > 0) await requests.end();
          for (const [reader, count] of total) assert.equal(requests.countOf(reader), count);
        },
      ),
      { numRuns: 100 },
    );
  });

  test('take turns one by one where a store takes one request at a time', async () => {
    const requests = new Requests(1);
    requests.ask(1, 4);
    requests.ask(2, 2);
    requests.ask(3, 2);
    await settled();
    for (let i = 0; i < 8; i++) await requests.end();
    assert.deepEqual(requests.went, [1, 1, 2, 3, 1, 2, 3, 1]);
  });

  test('count the bytes too: large files of one uid leave room for another, and none waits for good', async () => {
    const requests = new Requests(32, 64 * MIB);
    requests.ask(1, 100, 8 * MIB);
    await settled();
    assert.equal(requests.countOf(1), 7);
    requests.ask(2, 100, 1);
    await settled();
    assert.equal(requests.countOf(2), 1);
    for (let i = 0; i < 20; i++) {
      await requests.end(2);
      await requests.end(1);
    }
    assert.ok(requests.countOf(1) >= 20 && requests.countOf(2) >= 20);
  });

  test('let what is more than the limit go alone', async () => {
    const requests = new Requests(4, 10);
    requests.ask(1, 1, 100);
    requests.ask(1, 1, 1);
    await settled();
    assert.equal(requests.turns.underWay, 1);
    await requests.end();
    assert.equal(requests.went.length, 2);
  });

  test('are given up by who stops waiting, and nothing of it is left', async () => {
    const requests = new Requests(1);
    requests.ask(1);
    const gone = new AbortController();
    const waiting = requests.turns.take(2, 1, gone.signal);
    requests.ask(3);
    gone.abort(new Error('gone'));
    await assert.rejects(waiting, /gone/);
    await assert.rejects(requests.turns.take(2, 1, gone.signal), /gone/);
    await requests.end();
    assert.deepEqual(requests.went, [1, 3]);
  });
});
