import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { type Deferred, deferred, orAborted } from '../../../src/base/waiting.ts';
import type { EventQueue, QueueMessage } from '../../../src/source/events/event-queue.ts';
import { QueueFollower } from '../../../src/source/events/follow-queue.ts';
import { StoreError } from '../../../src/store/store-error.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { RecordingLog } from '../../support/recording-log.ts';
import { s3Notification } from './samples.ts';

const CONCERNED = s3Notification('acme', 'dags/a.py');
const FOREIGN = s3Notification('acme', 'logs/a.txt');

class FakeQueue implements EventQueue {
  readonly messages: QueueMessage[] = [];
  readonly deleted: string[] = [];
  readonly mostMessages = 10;
  /** The number of messages in each deletion. */
  readonly deletions: number[] = [];
  receives = 0;
  /** Receives that are under way at the moment, and the most at one time so far. */
  underWay = 0;
  mostUnderWay = 0;
  /** How long a receive takes; undefined: no time. */
  lasts: ((signal: AbortSignal) => Promise<void>) | undefined;
  /** How long a deletion takes; undefined: no time. */
  deletes: ((signal: AbortSignal) => Promise<void>) | undefined;
  fails: StoreError | undefined;
  #wake: Deferred<void> = deferred();

  put(...bodies: readonly string[]): void {
    for (const body of bodies) this.messages.push({ body, receipt: `${this.messages.length}` });
    this.#wake.resolve();
    this.#wake = deferred();
  }

  async receive({
    waits,
    signal,
  }: {
    readonly waits: boolean;
    readonly signal: AbortSignal;
  }): Promise<readonly QueueMessage[]> {
    this.receives += 1;
    this.underWay += 1;
    this.mostUnderWay = Math.max(this.mostUnderWay, this.underWay);
    try {
      if (this.fails !== undefined) throw this.fails;
      await this.lasts?.(signal);
      while (waits && this.messages.length === 0) await orAborted(this.#wake.promise, signal);
      return this.messages.splice(0, this.mostMessages);
    } finally {
      this.underWay -= 1;
    }
  }

  async delete(messages: readonly QueueMessage[], signal: AbortSignal): Promise<void> {
    await this.deletes?.(signal);
    this.deletions.push(messages.length);
    this.deleted.push(...messages.map(({ receipt }) => receipt));
  }

  async close(): Promise<void> {}
}

function follow(t: TestContext) {
  const clock = new FakeClock();
  const log = new RecordingLog();
  const queue = new FakeQueue();
  const hints: Deferred<void>[] = [];
  const counts: Record<string, number> = {};
  const follower = new QueueFollower({
    queue,
    isConcerned: ({ key }) => key.startsWith('dags/'),
    hint: () => {
      const hint = deferred<void>();
      hints.push(hint);
      return hint.promise;
    },
    observer: (_, outcome, count = 1) => {
      counts[outcome] = (counts[outcome] ?? 0) + count;
    },
    clock,
    log,
  });
  const end = new AbortController();
  const running = follower.run(end.signal);
  t.after(async () => {
    end.abort();
    await running;
  });
  return { clock, log, queue, hints, counts };
}

describe('a message of the queue', () => {
  it('is deleted only after a look that began later than it came', async (t) => {
    const { clock, queue, hints, counts } = follow(t);
    queue.put(CONCERNED, CONCERNED);
    await clock.settle();
    assert.equal(hints.length, 1);
    assert.deepEqual(queue.deleted, []);
    hints[0]!.resolve();
    await clock.settle();
    assert.deepEqual(queue.deleted, ['0', '1']);
    assert.deepEqual(counts, { taken: 2 });
  });

  it('stays in the queue where the mount ends before that look', async (t) => {
    const { clock, queue, hints } = follow(t);
    queue.put(CONCERNED);
    await clock.settle();
    hints[0]!.reject(new Error('the end'));
    await clock.settle();
    assert.deepEqual(queue.deleted, []);
  });

  it('about another key is deleted without a look', async (t) => {
    const { clock, queue, hints, counts } = follow(t);
    queue.put(FOREIGN);
    await clock.settle();
    assert.equal(hints.length, 0);
    assert.deepEqual(queue.deleted, ['0']);
    assert.deepEqual(counts, { foreign: 1 });
  });

  it('that is no event is left to whose it is, and told of once', async (t) => {
    const { clock, queue, hints, counts, log } = follow(t);
    queue.put('an order', '{"order": 7}');
    await clock.settle();
    assert.equal(hints.length, 0);
    assert.deepEqual(queue.deleted, []);
    assert.deepEqual(counts, { failed: 2 });
    assert.equal(log.count('warn', 'events-not-understood'), 1);
  });

  it('waits for no look of an earlier one: all that are there are received', async (t) => {
    const { clock, queue, hints } = follow(t);
    queue.put(...Array.from({ length: 100 }, () => CONCERNED));
    await clock.settle();
    assert.equal(queue.messages.length, 0);
    for (const hint of hints) hint.resolve();
    await clock.settle();
    assert.equal(queue.deleted.length, 100);
  });
});

describe('a burst of messages', () => {
  it('is received by eight at a time, and deleted in full batches', async (t) => {
    const { clock, queue, hints } = follow(t);
    queue.lasts = (signal) => clock.sleep(10, signal);
    queue.put(...Array.from({ length: 10_000 }, () => CONCERNED));
    const start = clock.now();
    while (queue.messages.length > 0) await clock.advance(10);
    const ms = clock.now() - start;
    assert.ok(ms <= 1_400, `${ms} ms: 1,000 receives of 10 ms, eight at a time`);
    assert.equal(queue.mostUnderWay, 8);
    await clock.advance(10);
    for (const hint of hints) hint.resolve();
    await clock.settle();
    assert.equal(new Set(queue.deleted).size, 10_000);
    assert.ok(queue.deletions.length <= 1_010, `${queue.deletions.length} deletions`);
  });

  for (const [what, body] of [
    ['of other prefixes', FOREIGN],
    ['of what is shown', CONCERNED],
  ] as const) {
    it(`${what} is received no faster than it can be deleted`, async (t) => {
      const { clock, queue, hints } = follow(t);
      queue.lasts = (signal) => clock.sleep(10, signal);
      queue.deletes = (signal) => clock.sleep(40, signal);
      const all = 4_000;
      queue.put(...Array.from({ length: all }, () => body));
      let most = 0;
      while (queue.messages.length > 0) {
        await clock.advance(10);
        for (const hint of hints.splice(0)) hint.resolve();
        most = Math.max(most, all - queue.messages.length - queue.deleted.length);
      }
      assert.ok(most <= 1_500, `${most} messages are received and not deleted`);
    });
  }

  it('that is no event is received by one alone: it may be work of someone else', async (t) => {
    const { clock, queue } = follow(t);
    queue.lasts = (signal) => clock.sleep(10, signal);
    queue.put(...Array.from({ length: 500 }, () => 'an order'));
    while (queue.messages.length > 0) await clock.advance(10);
    assert.equal(queue.mostUnderWay, 1);
  });

  it('leaves one receiver when it has ended', async (t) => {
    const { clock, queue, hints } = follow(t);
    queue.put(...Array.from({ length: 500 }, () => CONCERNED));
    await clock.settle();
    for (const hint of hints) hint.resolve();
    await clock.settle();
    assert.equal(queue.messages.length, 0);
    assert.equal(queue.underWay, 1);
  });

  it('that fails in the midst is told of once, and goes on when the queue is back', async (t) => {
    const { clock, queue, hints, log } = follow(t);
    queue.lasts = (signal) => clock.sleep(10, signal);
    queue.put(...Array.from({ length: 1_000 }, () => CONCERNED));
    await clock.advance(50);
    queue.fails = new StoreError('unreachable', 'no route', 'Wait.', true);
    await clock.advance(30_000);
    assert.equal(log.count('warn', 'events-failed'), 1);
    queue.fails = undefined;
    await clock.advance(60_000);
    assert.equal(queue.messages.length, 0);
    for (const hint of hints) hint.resolve();
    await clock.settle();
    assert.equal(queue.deleted.length, 1_000);
  });
});

describe('a queue whose messages may not be deleted', () => {
  it('is asked ever more rarely to delete, and told of once', async (t) => {
    const { clock, queue, hints, log } = follow(t);
    let tries = 0;
    let isDenied = true;
    queue.deletes = async () => {
      tries += 1;
      if (isDenied) throw new StoreError('denied', 'no sqs:DeleteMessage', 'Look at the policy.', false);
    };
    queue.put(...Array.from({ length: 500 }, () => FOREIGN));
    await clock.advance(60_000);
    assert.ok(tries >= 2 && tries <= 60, String(tries));
    assert.equal(log.count('warn', 'events-not-deleted'), 1);
    isDenied = false;
    await clock.advance(600_000);
    queue.put(CONCERNED);
    await clock.settle();
    for (const hint of hints) hint.resolve();
    await clock.settle();
    assert.equal(queue.deleted.at(-1), '0');
  });
});

describe('a queue that cannot be read', () => {
  const down = new StoreError('unreachable', 'no route', 'Wait.', true);

  it('is asked again ever more rarely, said once, and followed when it is back', async (t) => {
    const { clock, queue, hints, log } = follow(t);
    queue.fails = down;
    queue.put(FOREIGN);
    await clock.advance(600_000);
    assert.ok(queue.receives > 8 && queue.receives < 30, String(queue.receives));
    assert.equal(log.count('warn', 'events-failed'), 1);
    queue.fails = undefined;
    queue.put(CONCERNED);
    await clock.advance(60_000);
    assert.equal(hints.length, 1);
    assert.equal(log.count('info', 'events-recovered'), 1);
  });
});
