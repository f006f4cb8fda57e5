import { describe, test } from 'node:test';
import fc from 'fast-check';
import { kept } from './kept.ts';
import { historyOf, hostileKeys } from './operations.ts';
import { checkOnPureTree } from './pure-tree.ts';
import { long, reportOf, seeded } from './seed.ts';

describe('the tree of any history of puts and deletes', () => {
  test('is that of the reference model: names, kinds, sizes, content, links and mtimes', (t) => {
    const histories = historyOf(hostileKeys, { most: 8, operations: 20 });
    const details = fc.check(fc.property(histories, checkOnPureTree), seeded(t, long ? 1000 : 150));
    if (details.failed) throw new Error(reportOf(details), { cause: details.errorInstance });
  });

  for (const { name, history } of kept)
    test(`is that of the model for ${name}`, () => checkOnPureTree(history));
});
