import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { takeoverPaths } from '../../src/state/takeover-file.ts';
import { mountCallImpossible } from '../support/privileges.ts';
import { SmallDisk } from '../support/small-disk.ts';
import { Places } from './places.ts';

test('on a full disk, the record of what is verified gives its room to the state', {
  skip: mountCallImpossible,
}, async (t) => {
  const places = await Places.make(t);
  const { runtimeDirectory, store } = places;
  const disk = await SmallDisk.mount(t, 128 * 1024, runtimeDirectory);
  const { current, verified, verifiedNext } = takeoverPaths(runtimeDirectory);
  places.source.put('dags/a.py');
  await places.publish(100);
  store.recordVerified(1, new BigUint64Array(8_000));
  disk.fill();
  places.source.put('dags/b.py');
  await places.publish(200);
  assert.deepEqual([existsSync(current), existsSync(verified)], [true, false]);
  assert.deepEqual(store.troubles, []);

  disk.free();
  disk.fill();
  places.source.put('dags/c.py');
  await places.publish(300);
  assert.deepEqual(store.troubles, ['state-unwritable']);
  store.recordVerified(3, new BigUint64Array(1));
  assert.deepEqual(
    [existsSync(current), existsSync(verified), existsSync(verifiedNext)],
    [false, false, false],
  );
});
