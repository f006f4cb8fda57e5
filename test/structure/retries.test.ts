import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { RETRIES, type RetryPolicy } from '../../src/base/retry/retry-policies.ts';
import { isOptionName } from '../../src/config/options/options.ts';
import { repository } from '../support/repository.ts';

const policies: readonly RetryPolicy[] = Object.values(RETRIES);

function seconds(ms: number): string {
  return ms < 1_000 ? `${ms} ms` : ms % 60_000 === 0 ? `${ms / 60_000} min` : `${ms / 1_000} s`;
}

function pausesText({ pauses, bound }: RetryPolicy): string {
  switch (pauses.kind) {
    case 'none':
      return 'none';
    case 'growing':
      return pauses.firstMs === 0
        ? `growing to ${seconds(pauses.longestMs)}`
        : `growing from ${seconds(pauses.firstMs)} to ${seconds(pauses.longestMs)}`;
    case 'random': {
      if (pauses.leastMs === pauses.mostMs) return seconds(pauses.leastMs);
      const most =
        pauses.mostMs === undefined
          ? 'option' in bound
            ? `\`--${bound.option}\``
            : ''
          : seconds(pauses.mostMs);
      return `random, ${seconds(pauses.leastMs)} to ${most}`;
    }
    default:
      return pauses satisfies never;
  }
}

/** The cells of a row of the table in docs/operations.md. */
function cellsOf(policy: RetryPolicy): readonly string[] {
  const { what, tries, deadlineMs, bound, metric } = policy;
  return [
    what,
    Number.isFinite(tries) ? String(tries) : 'no bound',
    pausesText(policy),
    deadlineMs === undefined ? '' : seconds(deadlineMs),
    'option' in bound ? `\`--${bound.option}\`` : `fixed: ${bound.fixed}`,
    metric === undefined ? '' : `\`${metric}\``,
  ];
}

test('the table of retries in docs/operations.md is that of the code', () => {
  const text = readFileSync(join(repository, 'docs/operations.md'), 'utf8');
  const section = text.split('## What is tried again')[1]?.split('\n## ')[0] ?? '';
  const rows = section
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .slice(2)
    .map((line) =>
      line
        .slice(2, -2)
        .split(' | ')
        .map((cell) => cell.trim()),
    );
  assert.deepEqual(rows, policies.map(cellsOf));
});

test('what bounds a retry is an option, or said to be fixed and why; and where it is counted, there is such a metric', async () => {
  const metrics = readFileSync(join(repository, 'src/control/metrics/metrics.ts'), 'utf8');
  for (const { what, bound, metric } of policies) {
    if ('option' in bound) assert.ok(isOptionName(bound.option), what);
    else assert.notEqual(bound.fixed, '', what);
    if (metric !== undefined) assert.ok(metrics.includes(`'${metric}'`), `${what}: ${metric}`);
  }
});
