import { describe, it } from 'node:test';
import pLimit from 'p-limit';
import { tryCell } from './cell.ts';
import type { Place, Seen } from './seen.ts';
import { rowsThatRun } from './table.ts';

/** A cell waits for most of its time. */
const CELLS_AT_ONCE = 48;
/** The start of a cell needs the processor. If all started at once, each would miss its own deadlines. */
const BEGIN_AT_ONCE = 3;

/** Tries each row that runs, in one place. */
export function tryPlace(place: Place, title: string): void {
  const inTurn = pLimit(BEGIN_AT_ONCE);
  describe(title, { concurrency: CELLS_AT_ONCE }, () => {
    for (const row of rowsThatRun) {
      const seen = row.seen[place];
      if (seen.kind === 'not-here') continue;
      it(`${row.name}: ${sentenceOf(seen)}`, (test) => tryCell(test, row, place, inTurn));
    }
  });
}

function sentenceOf(seen: Exclude<Seen, { kind: 'not-here' }>): string {
  switch (seen.kind) {
    case 'content':
      return 'is read, and nothing is said';
    case 'object':
      return `is the fault of that object (${seen.codes.join(', ')})`;
    case 'store':
      return `is the fault of the store (${seen.codes.join(', ')})`;
    case 'held':
      return 'is held';
    case 'named':
      return `is a problem of that key (${seen.reasons.join(', ')})`;
    default:
      return seen satisfies never;
  }
}
