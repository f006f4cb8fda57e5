import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import fc from 'fast-check';
import { JOURNAL_BYTES, Journal, SLOT_BYTES, SLOTS } from '../../../src/session/kernel/journal.ts';
import { range, requestBytes } from '../messages.ts';

const read = (unique: number): Buffer => requestBytes('read', 2, range(0, 4096), { unique });

describe('the journal of requests that are not answered', () => {
  let memory: ArrayBuffer;
  let journal: Journal;
  beforeEach(() => {
    memory = new ArrayBuffer(JOURNAL_BYTES);
    journal = new Journal(memory);
  });
  /** The unanswered requests, as a successor process finds them. */
  const left = (): readonly string[] => {
    const successor = new Journal(memory);
    return successor.unanswered().map(({ offset, length }) => {
      return Buffer.from(successor.bytes.subarray(offset, offset + length)).toString('hex');
    });
  };
  const inSlot = (slot: number, request: Uint8Array): number => {
    journal.slots.set(request, slot * SLOT_BYTES);
    return slot * SLOT_BYTES;
  };

  test('is empty at first, and holds what is in a slot until that is free', () => {
    assert.deepEqual(left(), []);
    const offset = inSlot(3, read(8));
    assert.deepEqual(left(), [read(8).toString('hex')]);
    journal.freeSlot(offset);
    assert.deepEqual(left(), []);
  });

  test('holds what was kept, bit by bit, after its slot was used for another', () => {
    const kept = journal.keep(inSlot(0, read(8)), 80);
    inSlot(0, read(10));
    journal.freeSlot(0);
    assert.deepEqual(left(), [read(8).toString('hex')]);
    journal.answered(kept);
    assert.deepEqual(left(), []);
  });

  test('has room for as many as the kernel lets wait, and says so where it has none', () => {
    inSlot(0, read(8));
    const kept = Array.from({ length: 4096 }, () => journal.keep(0, 80));
    assert.ok(kept.every((each) => each !== undefined));
    assert.equal(new Set(kept).size, 4096);
    assert.equal(journal.keep(0, 80), undefined);
    journal.answered(undefined);
    journal.answered(kept[100]);
    assert.equal(journal.keep(0, 80), kept[100]);
  });

  test('keeps no request that is too long for a place', () => {
    assert.equal(journal.keep(inSlot(0, Buffer.concat([read(8), Buffer.alloc(17)])), 97), undefined);
  });

  test('has nothing of another connection once it is cleared, and all of its room', () => {
    for (let slot = 0; slot < SLOTS; slot++) inSlot(slot, read(2 * slot + 2));
    for (let count = 0; count < 100; count++) journal.keep(0, 80);
    const successor = new Journal(memory);
    successor.clear();
    assert.deepEqual(left(), []);
    inSlot(0, read(8));
    assert.ok(Array.from({ length: 4096 }, () => successor.keep(0, 80)).every((each) => each !== undefined));
  });

  test('of a process that was killed anywhere holds each request once, or not at all', () => {
    const step = fc.constantFrom('keep' as const, 'answer' as const);
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const bytes = new ArrayBuffer(JOURNAL_BYTES);
        const dying = new Journal(bytes);
        const waiting = new Map<number, number>();
        let unique = 2;
        for (const each of steps) {
          const [first] = waiting;
          if (each === 'keep') {
            dying.slots.set(read(unique));
            waiting.set(unique, dying.keep(0, 80)!);
            dying.freeSlot(0);
            unique += 2;
          } else if (first !== undefined) {
            dying.answered(first[1]);
            waiting.delete(first[0]);
          }
        }
        const successor = new Journal(bytes);
        const found = successor.unanswered().map(({ offset }) => successor.view.getUint32(offset + 8, true));
        assert.deepEqual(
          found.sort((a, b) => a - b),
          [...waiting.keys()],
        );
      }),
    );
  });

  test('takes lengths that nobody can have written for nothing', () => {
    const view = new DataView(memory);
    view.setUint32(0, 0xffff_ffff, true);
    view.setUint32(SLOTS * SLOT_BYTES, 97, true);
    assert.deepEqual(new Journal(memory).unanswered(), []);
  });
});
