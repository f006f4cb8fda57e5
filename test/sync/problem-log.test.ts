import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProblemLog } from '../../src/sync/problem-log.ts';
import type { Problem } from '../../src/tree/index.ts';
import { RecordingLog } from '../support/recording-log.ts';

function problem(key: string): Problem {
  return { key, reason: 'shadowed', detail: 'a directory has its path' };
}

test('left-out keys are told once, told again when they change, and told when all are shown', () => {
  const told = new RecordingLog();
  const log = new ProblemLog(told);
  log.tell([]);
  log.tell([problem('a')]);
  log.tell([problem('a')]);
  log.tell(Array.from({ length: 30 }, (_, i) => problem(`k${i}`)));
  log.tell([problem('a')], new Map([['shadowed', 5_000]]));
  log.tell([]);
  assert.deepEqual(
    told.lines.map(({ event, fields }) => [event, fields.count]),
    [
      ['keys-left-out', 1],
      ['keys-left-out', 30],
      ['keys-left-out', 5_001],
      ['no-keys-left-out', 0],
    ],
  );
  assert.equal((told.lines[1]?.fields.problems as unknown[] | undefined)?.length, 20);
});
