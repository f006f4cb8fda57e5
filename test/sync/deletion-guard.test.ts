import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { judge } from '../../src/sync/deletion-guard.ts';

const half = { maxDelete: 0.5, allowEmpty: false };

describe('guard', () => {
  it('holds a tree that lost more than the share, where there were ten files or more', () => {
    assert.equal(judge(499, 1000, half).pass, false);
    assert.equal(judge(500, 1000, half).pass, true);
    assert.equal(judge(4, 10, half).pass, false);
    assert.equal(judge(5, 10, half).pass, true);
    assert.equal(judge(1, 9, half).pass, true);
  });

  it('takes the share for what it is in decimals', () => {
    for (let percent = 0; percent <= 100; percent++) {
      const rules = { maxDelete: percent / 100, allowEmpty: true };
      assert.equal(judge(100 - percent, 100, rules).pass, true, `${percent} % may go`);
      if (percent < 100)
        assert.equal(judge(99 - percent, 100, rules).pass, false, `${percent + 1} % may not`);
    }
  });

  it('holds a tree without files even where there were few, unless that is allowed', () => {
    assert.deepEqual(judge(0, 1, half), {
      pass: false,
      reason: 'empty',
      detail: 'The listing shows no file, where the last hour had 1.',
    });
    assert.equal(judge(0, 9, { ...half, allowEmpty: true }).pass, true);
    assert.equal(judge(0, 0, half).pass, true);
  });

  it('lets all but the last file go with a share of 100 %, which does not allow an empty tree', () => {
    assert.equal(judge(1, 100_000, { maxDelete: 1, allowEmpty: false }).pass, true);
    assert.equal(judge(0, 100_000, { maxDelete: 1, allowEmpty: false }).pass, false);
    assert.equal(judge(0, 100_000, { maxDelete: 1, allowEmpty: true }).pass, true);
  });

  it('with an empty tree allowed still holds one that lost too much of a large tree', () => {
    assert.equal(judge(0, 100, { maxDelete: 0.5, allowEmpty: true }).pass, false);
  });

  it('never holds a tree that has as many files as before', () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.nat(1000),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (peak, more, maxDelete) => {
          assert.equal(judge(peak + more, peak, { maxDelete, allowEmpty: false }).pass, true);
        },
      ),
    );
  });
});
