import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { deviations, drivers, exceptionsOf, filesOf, outcomesOf } from '../conformance/suite.ts';
import { fuseNativeImpossible } from '../support/driver.ts';
import { mountImpossible } from '../support/mount.ts';
import { supervisorMissing } from '../support/supervised.ts';

/**
 * Runs each promise's tests over `current/` of a mount with --versions, in which a write is a deploy. The successor of
 * the server that made a mount serves it.
 */
for (const driver of drivers) {
  const skip = mountImpossible || supervisorMissing || (driver === 'fuse-native' && fuseNativeImpossible);
  describe(`${driver}, over current/`, { skip }, () => {
    const way = { driver, shape: 'current', bySuccessor: true } as const;
    const excepted = exceptionsOf(way);
    for (const file of filesOf('current')) {
      test(`keeps the promises as the document has it: ${file}`, async () => {
        assert.deepEqual(deviations(await outcomesOf(file, way), excepted), []);
      });
    }
  });
}
