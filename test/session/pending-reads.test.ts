import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PendingReads } from '../../src/session/pending-reads.ts';
import { waitFor } from '../support/wait-for.ts';

/** The bit in the high half of a unique number with which the kernel sends a request again. */
const RESENT = 0x80000000;
const read = (uniqueLow: number, uid: number) => ({ uniqueHigh: 0, uniqueLow, pid: 100 + uniqueLow, uid });

describe('the READs that wait', () => {
  test('are never all of one uid, which may have more again once some are answered', () => {
    const reads = new PendingReads(3);
    const waiting = [2, 4, 6, 8].map((unique) => reads.begin(read(unique, 1)));
    assert.deepEqual(
      waiting.map((each) => each !== undefined),
      [true, true, true, false],
    );
    assert.notEqual(reads.begin(read(10, 2)), undefined);
    for (let i = 0; i < 3; i++) waiting[i]?.end();
    for (const unique of [12, 14, 16]) assert.notEqual(reads.begin(read(unique, 1)), undefined);
    assert.equal(reads.begin(read(18, 1)), undefined);
  });

  test('count once when the kernel sends them again, until their last copy ends', () => {
    const reads = new PendingReads(2);
    const waiting = [2, 4].map((unique) => reads.begin(read(unique, 1)));
    const again = [2, 4].map((unique) => reads.begin({ ...read(unique, 1), uniqueHigh: RESENT }));
    assert.ok(again.every((each) => each !== undefined));
    for (const each of waiting) each?.end();
    assert.equal(reads.begin(read(8, 1)), undefined);
    again[0]?.end();
    assert.notEqual(reads.begin(read(10, 1)), undefined);
    assert.equal(reads.begin(read(12, 1)), undefined);
  });

  test('end in all their copies for a caller that is dying', async () => {
    const reads = new PendingReads(2, async () => true);
    const one = reads.begin(read(2, 1));
    const again = reads.begin({ ...read(2, 1), uniqueHigh: RESENT });
    await reads.interrupt(RESENT, 2);
    assert.deepEqual([one?.signal.aborted, again?.signal.aborted], [true, true]);
  });

  test('end for a caller that is dying, and only then', async () => {
    let dies = false;
    const reads = new PendingReads(3, async () => dies);
    const one = reads.begin(read(2, 1));
    const other = reads.begin(read(4, 1));
    void reads.interrupt(0, 2);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(one?.signal.aborted, false);
    dies = true;
    await waitFor('the end', () => one?.signal.aborted);
    assert.equal(other?.signal.aborted, false);
    await reads.interrupt(0, 99);
  });
});
