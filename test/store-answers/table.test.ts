import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { places, rowsThatRun, table } from './table.ts';

describe('the table of answers', () => {
  it('has more than sixty rows, each of which comes in each place or says why not', () => {
    assert.ok(table.length >= 60);
    for (const { name, seen } of table) {
      for (const place of places) {
        const cell = seen[place];
        if (cell.kind === 'not-here') assert.notEqual(cell.why, '', `${name}, ${place}`);
      }
    }
  });

  it('has more than sixty rows that come in all four places, also among those that run without --long', () => {
    const everywhere = rowsThatRun.filter(({ seen }) =>
      places.every((place) => seen[place].kind !== 'not-here'),
    );
    assert.ok(everywhere.length >= 60, `${everywhere.length} rows`);
  });

  it('names each row once', () => {
    assert.equal(new Set(table.map(({ name }) => name)).size, table.length);
  });

  it('faults every cell: a row without a fault for a place says that it is not here', () => {
    for (const { name, seen, list, get, put } of table) {
      if (seen.listing.kind !== 'not-here')
        assert.ok(list !== undefined || get !== undefined, `${name}, listing`);
      const others = places.filter((place) => place !== 'listing' && seen[place].kind !== 'not-here');
      if (others.length > 0) assert.ok(list !== undefined || get !== undefined || put !== undefined, name);
    }
  });
});
