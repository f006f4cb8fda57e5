import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import {
  NotificationWatch,
  type NotifyJob,
  UNANSWERED,
} from '../../../src/session/kernel/notification-watch.ts';
import { encodeInvalidateEntry, encodeInvalidateInode, encodeStore } from '../../../src/wire/index.ts';

const NAME = new Uint8Array([0x61]);

function jobOf(...messages: readonly Uint8Array[]): NotifyJob {
  return {
    messages: Buffer.concat(messages),
    results: new Int32Array(messages.length).fill(UNANSWERED),
  };
}

describe('the watch over notifications', () => {
  let job: NotifyJob | undefined;
  let told: (number | 'freed')[];
  let watch: NotificationWatch;
  const look = (times: number): void => {
    for (let i = 0; i < times; i++) watch.look();
  };

  beforeEach(() => {
    job = undefined;
    told = [];
    watch = new NotificationWatch({
      current: () => job,
      onStuck: (nodeId) => told.push(nodeId),
      onFreed: () => told.push('freed'),
    });
  });

  for (const [what, message] of [
    ['an entry', encodeInvalidateEntry(41, NAME)],
    ['an inode', encodeInvalidateInode(41, 0, 0)],
    ['a question', encodeStore(41, 0)],
  ] as const) {
    test(`says of which node the one is that is not answered, where it is about ${what}`, () => {
      job = jobOf(encodeInvalidateEntry(7, NAME), message, encodeInvalidateInode(9, 0, 0));
      job.results[0] = 2;
      look(20);
      assert.deepEqual(told, [41]);
    });
  }

  test('says nothing while answers come, however long that takes', () => {
    job = jobOf(...Array.from({ length: 100 }, () => encodeInvalidateInode(5, 0, 0)));
    for (let i = 0; i < 100; i++) {
      look(4);
      job.results[i] = 0;
    }
    look(20);
    assert.deepEqual(told, []);
  });

  test('says once that it is stuck, once that it is not, and again of the next', async () => {
    const stuck = watch.stuck();
    job = jobOf(encodeInvalidateEntry(5, NAME), encodeInvalidateEntry(6, NAME));
    look(20);
    await stuck;
    await watch.stuck();
    job.results[0] = 0;
    look(20);
    job = undefined;
    look(3);
    assert.deepEqual(told, [5, 'freed', 6, 'freed']);
  });
});
