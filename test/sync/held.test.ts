import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Hold, missingFiles } from '../../src/sync/held.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { FakeSource } from './doubles/fake-source.ts';
import { treeOf } from './doubles/trees.ts';

const held = {
  generation: 'g1',
  files: 4,
  removed: 6,
  reason: 'mass-deletion',
  detail: 'Many are gone.',
} as const;

describe('a hold', () => {
  it('warns at once, then not on every poll, then again after ten minutes', () => {
    const clock = new FakeClock();
    const log = new RecordingLog();
    const hold = new Hold(clock, log);
    hold.hold('d1', held);
    assert.equal(log.count('warn'), 1);
    for (let poll = 0; poll < 59; poll++) {
      clock.step(10_000);
      hold.hold('d1', held);
    }
    assert.equal(log.count('warn'), 1);
    clock.step(10_000);
    hold.hold('d1', held);
    assert.equal(log.count('warn'), 2);
  });

  it('is of the newest listing, and since the first', () => {
    const clock = new FakeClock();
    const hold = new Hold(clock, new RecordingLog());
    const since = clock.now();
    hold.hold('d1', held);
    clock.step(10_000);
    hold.hold('d2', { ...held, generation: 'g2' });
    assert.deepEqual(hold.view, { ...held, generation: 'g2', since });
    assert.ok(hold.isOf('d2') && !hold.isOf('d1'));
  });

  it('is over when it is dropped', () => {
    const log = new RecordingLog();
    const hold = new Hold(new FakeClock(), log);
    hold.drop();
    assert.equal(log.lines.length, 0);
    hold.hold('d1', held);
    hold.drop();
    assert.equal(hold.view, undefined);
    assert.ok(!hold.isOf('d1'));
    assert.equal(log.count('info', 'no-longer-held'), 1);
  });

  it('counts the files whose paths are missing, not one that became a directory', async () => {
    const source = new FakeSource(() => 0);
    source.put('a/1', 'x');
    source.put('a/2', 'x');
    source.put('turned', 'x');
    source.put('stays', 'x');
    const before = await treeOf(source);
    source.delete('a/1');
    source.delete('a/2');
    source.delete('turned');
    source.put('turned/inner', 'x');
    const after = await treeOf(source, before);
    assert.equal(missingFiles(before.generation, after.generation, after.changes!), 2);
  });
});
