import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProblemLog } from '../../src/sync/problem-log.ts';
import type { Problem } from '../../src/tree/index.ts';

function problem(key: string): Problem {
  return { key, reason: 'shadowed', detail: 'a directory has its path' };
}

test('left-out keys are told once, told again when they change, and told when all are shown', () => {
  const lines: [string, object][] = [];
  const log = new ProblemLog({
    debug: () => undefined,
    info: (fields) => lines.push(['info', fields]),
    warn: (fields) => lines.push(['warn', fields]),
    error: () => undefined,
  });
  log.tell([]);
  log.tell([problem('a')]);
  log.tell([problem('a')]);
  log.tell(Array.from({ length: 30 }, (_, i) => problem(`k${i}`)));
  log.tell([problem('a')], new Map([['shadowed', 5_000]]));
  log.tell([]);
  assert.deepEqual(
    lines.map(([level, fields]) => [level, (fields as { count: number }).count]),
    [
      ['warn', 1],
      ['warn', 30],
      ['warn', 5_001],
      ['info', 0],
    ],
  );
  const [, many] = lines[1] ?? [];
  assert.equal((many as { problems: unknown[] } | undefined)?.problems.length, 20);
});
