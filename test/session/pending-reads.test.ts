import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PendingReads } from '../../src/session/pending-reads.ts';
import { waitFor } from '../support/wait-for.ts';

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
