import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  cellOf,
  cellsOf,
  deviations,
  drivers,
  exceptionsOf,
  outcomesOf,
  suite,
} from '../conformance/suite.ts';
import { fuseNativeImpossible } from '../support/driver.ts';
import { mountImpossible } from '../support/mount.ts';

/** Runs the tests through a mount of fuse-native. Those with the kernel driver run as they stand, beside these. */
describe('fuse-native', { skip: mountImpossible || fuseNativeImpossible }, () => {
  const way = { driver: 'fuse-native' } as const;
  const excepted = exceptionsOf(way);
  for (const [promise, files] of suite) {
    for (const file of files) {
      test(`keeps "${promise}" as the document has it: ${file}`, async () => {
        const outcomes = await outcomesOf(file, way);
        assert.deepEqual(deviations(outcomes, excepted), []);
        const cell = cellsOf().get(file)?.[drivers.indexOf('fuse-native')];
        if (outcomes.skipped.length === 0) assert.equal(cellOf(outcomes), cell);
      });
    }
  }
});
