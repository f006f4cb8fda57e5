import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { cellOf, cellsOf, deviations, drivers, exceptions, outcomesOf, suite } from '../conformance/suite.ts';
import { fuseNativeImpossible } from '../support/driver.ts';
import { mountImpossible } from '../support/mount.ts';

/** Each promise's tests through a mount, with both drivers. */
describe('both drivers', { skip: mountImpossible || fuseNativeImpossible }, () => {
  const excepted = exceptions();
  for (const [promise, files] of suite) {
    for (const file of files) {
      for (const driver of drivers) {
        test(`keep "${promise}" as the document has it: ${file}, ${driver}`, async () => {
          const outcomes = await outcomesOf(file, driver);
          assert.deepEqual(deviations(driver, outcomes, excepted), []);
          const cell = cellsOf().get(file)?.[drivers.indexOf(driver)] ?? 'not run';
          if (outcomes.skipped.length === 0 && cell !== 'not run') assert.equal(cellOf(outcomes), cell);
        });
      }
    }
  }
});
