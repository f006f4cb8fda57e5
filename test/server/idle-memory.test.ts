import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { keepIdleMemorySmall, ownMemory } from '../../src/server/idle-memory.ts';

const MIB = 2 ** 20;

describe('the memory of an idle server', () => {
  const begin = (left: number) => {
    const state = { bytes: 100 * MIB, busy: 0, collected: 0, given: 0 };
    let look: () => void = () => undefined;
    const stop = keepIdleMemorySmall(
      {
        bytes: () => state.bytes,
        busy: () => state.busy,
        collect: () => {
          state.collected += 1;
          state.bytes = left;
        },
        giveBack: () => {
          state.given += 1;
        },
      },
      (_, each) => {
        look = each;
        return () => {
          look = () => undefined;
        };
      },
    );
    return { state, look: () => look(), stop };
  };

  test('what a burst has left is collected and given back, by two collections', () => {
    const { state, look } = begin(30 * MIB);
    look();
    look();
    state.bytes = 35 * MIB;
    look();
    assert.deepEqual([state.collected, state.given], [2, 2]);
  });

  test('a server at work is not paused', () => {
    const { state, look } = begin(30 * MIB);
    state.busy = 0.5;
    look();
    assert.equal(state.collected, 0);
    state.busy = 0.01;
    look();
    assert.equal(state.collected, 1);
  });

  test('what is in use is not collected again and again', () => {
    const { state, look } = begin(100 * MIB);
    for (let time = 0; time < 5; time += 1) look();
    assert.equal(state.collected, 2);
    state.bytes = 150 * MIB;
    look();
    look();
    look();
    assert.equal(state.collected, 4);
  });

  test('nothing happens after its end', () => {
    const { state, look, stop } = begin(30 * MIB);
    stop();
    look();
    assert.equal(state.collected, 0);
  });
});

test('garbage of this process is collected', () => {
  const memory = ownMemory(() => undefined);
  let garbage: readonly object[] | undefined = Array.from({ length: 300_000 }, (_, at) => ({ at }));
  const before = process.memoryUsage().heapUsed;
  assert.equal(garbage.length, 300_000);
  garbage = undefined;
  memory.collect();
  assert.ok(process.memoryUsage().heapUsed < before - 5 * MIB);
  assert.ok(memory.bytes() > 0);
  assert.ok(memory.busy() > 0);
});
