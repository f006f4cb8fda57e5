import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mountImpossible } from '../support/mount.ts';
import { shell } from '../support/reader.ts';
import { waitFor } from '../support/wait-for.ts';
import { mountStore, openStore } from './fixture.ts';
import { changeObjects, type StormResult, startStormReaders, stormObjects } from './storm.ts';

/** 60 s with scripts/test --long. */
const seconds = process.env.DAGMOUNT_TEST_LONG === undefined ? 10 : 60;

test('16 readers see no error, no short read and no mixture while 20 objects a second change', {
  skip: mountImpossible,
}, async (t) => {
  const store = await openStore(t, stormObjects());
  const mount = await mountStore(t, store);
  const readers = startStormReaders(mount, 16, seconds * 1000 + 120_000);
  const changes = await changeObjects(store, seconds);
  for (const reader of readers) reader.end();
  const results = await Promise.all(
    readers.map(async (reader) => {
      const reading = await reader.done;
      assert.equal(reading.code, 0, reading.stderr);
      return JSON.parse(reading.stdout) as StormResult;
    }),
  );
  assert.deepEqual(
    results.flatMap((result) => result.problems),
    [],
  );
  assert.ok(changes > seconds * 5, `${changes} changes`);
  assert.ok(results.every((result) => result.passes > 0));
  // The readers did see the changes.
  assert.ok(results.some((result) => result.versions > 200));
  const last = `version ${String(changes).padStart(8, '0')}`;
  await waitFor(
    'the last change',
    async () => (await shell(mount.target, `grep -rl "${last}" . || true`)) !== '',
  );
});
