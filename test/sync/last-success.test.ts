import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { keepLastSuccess } from '../../src/server/last-success.ts';
import { SourceState } from '../../src/sync/source-state.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { temporaryDirectory } from '../support/temporary.ts';

describe('when the store was last seen', () => {
  test('outlives the process, give or take half a minute', async (t) => {
    const file = join(await temporaryDirectory(t), 'last-success');
    const log = new RecordingLog();
    const first = keepLastSuccess(file, log);
    assert.equal(first.lastSuccessAt, undefined);
    for (const at of [1_000_000, 1_010_000, 1_031_000, 1_040_000]) first.onSuccess?.(at);
    assert.equal(keepLastSuccess(file, log).lastSuccessAt, 1_031_000);
  });

  test('is not known where nothing that can be read is there, and harms nothing where it cannot be kept', async (t) => {
    const directory = await temporaryDirectory(t);
    const file = join(directory, 'last-success');
    const log = new RecordingLog();
    for (const damage of ['', 'x', '-1', 'Infinity']) {
      writeFileSync(file, damage);
      assert.equal(keepLastSuccess(file, log).lastSuccessAt, undefined, damage);
    }
    mkdirSync(join(directory, 'taken', 'inside'), { recursive: true });
    const kept = keepLastSuccess(join(directory, 'taken'), log);
    kept.onSuccess?.(1_000_000);
    assert.equal(kept.lastSuccessAt, undefined);
  });

  test('is what the source begins with, and no sign that it is down', () => {
    const source = new SourceState(new FakeClock(), new RecordingLog(), undefined, 5);
    assert.equal(source.view.lastSuccessAt, 5);
    assert.equal(source.isDown, false);
    source.succeeded(source.began());
    assert.notEqual(source.view.lastSuccessAt, 5);
  });
});
