import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Deadline } from '../../src/store/deadline.ts';
import { SYSTEM_PACE, withRetries, type Yielder } from '../../src/store/request-retry.ts';
import { StoreError, type StoreErrorCode } from '../../src/store/store-error.ts';
import type { Cleanup } from '../support/temporary.ts';
import { failureOf, patience } from './open-store.ts';

const failing = (code: StoreErrorCode, retryable: boolean): StoreError =>
  new StoreError(code, '', '', retryable);

function paceOf(random: number): Yielder & { readonly waits: number[] } {
  const waits: number[] = [];
  return { waits, random: () => random, sleep: async (milliseconds) => waits.push(milliseconds) };
}

function deadlineOf(t: Cleanup, signal = patience()): Deadline {
  const deadline = new Deadline(signal);
  t.after(() => deadline.dispose());
  return deadline;
}

describe('withRetries', () => {
  test('waits longer each time, up to two seconds', async (t) => {
    const yielder = paceOf(1);
    let tries = 0;
    const attempt = async (): Promise<string> => {
      if (++tries <= 7) throw failing('unreachable', true);
      return 'done';
    };
    assert.equal(
      await withRetries(attempt, { deadline: deadlineOf(t), deadlineMs: 60_000, yielder }),
      'done',
    );
    assert.deepEqual(yielder.waits, [100, 200, 400, 800, 1600, 2000, 2000]);
  });

  test('waits anything from nothing up, so that many do not come back at once', async (t) => {
    const yielder = paceOf(0);
    let tries = 0;
    const attempt = async (): Promise<void> => {
      if (++tries === 1) throw failing('throttled', true);
    };
    await withRetries(attempt, { deadline: deadlineOf(t), deadlineMs: 60_000, yielder });
    assert.deepEqual(yielder.waits, [0]);
  });

  test('does not try again what another try cannot repair', async (t) => {
    const yielder = paceOf(1);
    const attempt = async (): Promise<void> => {
      throw failing('denied', false);
    };
    const failure = await failureOf(
      withRetries(attempt, { deadline: deadlineOf(t), deadlineMs: 60_000, yielder }),
    );
    assert.equal(failure.code, 'denied');
    assert.deepEqual(yielder.waits, []);
  });

  test('lets a fault of the program through as it is', async (t) => {
    const attempt = async (): Promise<void> => {
      throw new TypeError('a bug');
    };
    const running = withRetries(attempt, { deadline: deadlineOf(t), deadlineMs: 60_000, yielder: paceOf(1) });
    await assert.rejects(running, TypeError);
  });

  test('ends a wait when the signal is aborted', async (t) => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const yielder: Yielder = {
      random: () => 1,
      sleep: async (milliseconds, stop) => {
        const sleeping = SYSTEM_PACE.sleep(milliseconds, stop);
        controller.abort(reason);
        await sleeping;
      },
    };
    const attempt = async (): Promise<void> => {
      throw failing('unreachable', true);
    };
    const failure = await failureOf(
      withRetries(attempt, { deadline: deadlineOf(t, controller.signal), deadlineMs: 60_000, yielder }),
    );
    assert.equal(failure.code, 'aborted');
    assert.equal(failure.cause, reason);
  });

  test('gives a try that goes on for too long a signal, and says so', async (t) => {
    const deadline = deadlineOf(t);
    // The timer of a deadline does not keep the process alive.
    const alive = setInterval(() => undefined, 1_000);
    t.after(() => clearInterval(alive));
    const attempt = (): Promise<void> =>
      new Promise((_resolve, reject) => {
        deadline.addEventListener('abort', () => reject(deadline.reason));
      });
    const running = withRetries(attempt, { deadline, deadlineMs: 10, yielder: paceOf(1) });
    assert.equal((await failureOf(running)).code, 'unreachable');
  });
});
