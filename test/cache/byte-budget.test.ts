import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { ByteBudget } from '../../src/cache/byte-budget.ts';

const { signal } = new AbortController();
const background = { signal, urgent: false };

/** Asks for bytes and notes when they are granted. */
function ask(
  budget: ByteBudget,
  granted: string[],
  name: string,
  bytes: number,
  flight = background,
): Promise<void> {
  return budget.take(bytes, flight).then(() => {
    granted.push(name);
  });
}

test('a request that fits is admitted at once, the others in the order of arrival', async () => {
  const budget = new ByteBudget(10);
  const granted: string[] = [];
  void ask(budget, granted, 'a', 6);
  void ask(budget, granted, 'b', 6);
  void ask(budget, granted, 'c', 1);
  await turn();
  assert.deepEqual(granted, ['a']);
  budget.release(6);
  await turn();
  assert.deepEqual(granted, ['a', 'b', 'c']);
  assert.equal(budget.taken, 7);
});

test('an urgent request goes first, even if it becomes urgent while it waits', async () => {
  const budget = new ByteBudget(10);
  const granted: string[] = [];
  void ask(budget, granted, 'a', 10);
  void ask(budget, granted, 'b', 10);
  const flight = { signal, urgent: false };
  void ask(budget, granted, 'c', 10, flight);
  flight.urgent = true;
  for (let i = 0; i < 2; i++) {
    budget.release(10);
    await turn();
  }
  assert.deepEqual(granted, ['a', 'c', 'b']);
});

test('what is larger than the budget is let in alone', async () => {
  const budget = new ByteBudget(10);
  const granted: string[] = [];
  void ask(budget, granted, 'a', 1);
  void ask(budget, granted, 'b', 50);
  await turn();
  assert.deepEqual(granted, ['a']);
  budget.release(1);
  await turn();
  assert.deepEqual(granted, ['a', 'b']);
});

test('a request that stops waiting makes way for the next ones', async () => {
  const budget = new ByteBudget(14);
  const granted: string[] = [];
  const leaving = new AbortController();
  void ask(budget, granted, 'a', 5);
  const left = ask(budget, granted, 'b', 9, { signal: leaving.signal, urgent: false });
  void ask(budget, granted, 'c', 5);
  leaving.abort(new Error('left'));
  await assert.rejects(left, /left/);
  await turn();
  assert.deepEqual(granted, ['a', 'c']);
});

test('the budget is never overrun and all are served', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.integer({ min: 1, max: 12 }), fc.boolean())), async (asks) => {
      const budget = new ByteBudget(10);
      let held = 0;
      let holders = 0;
      const work = async ([bytes, urgent]: [number, boolean]): Promise<void> => {
        await budget.take(bytes, { signal, urgent });
        held += bytes;
        holders += 1;
        assert.ok(held <= 10 || holders === 1);
        await turn();
        held -= bytes;
        holders -= 1;
        budget.release(bytes);
      };
      await Promise.all(asks.map(work));
      assert.equal(budget.taken, 0);
    }),
    { numRuns: 50 },
  );
});

test('a part of the budget is kept for urgent requests, which do not wait for others', async () => {
  const budget = new ByteBudget(8);
  const granted: string[] = [];
  for (const name of ['a', 'b', 'c', 'd']) void ask(budget, granted, name, 2);
  void ask(budget, granted, 'urgent', 2, { signal, urgent: true });
  await turn();
  assert.deepEqual(granted, ['a', 'b', 'c', 'urgent']);
});
