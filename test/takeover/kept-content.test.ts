import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import type { MountConfig } from '../../src/config/mount-config.ts';
import { takeoverPaths } from '../../src/state/takeover-file.ts';
import { keptContent } from '../../src/takeover/kept-content.ts';
import { readLeft } from '../../src/takeover/kept-state.ts';
import { identity, Places } from '../state/places.ts';
import { RecordingLog } from '../support/recording-log.ts';

async function left({ runtimeDirectory, cacheDirectory }: Places) {
  const config = { include: [], exclude: [] } as unknown as MountConfig;
  const log = new RecordingLog();
  const found = await readLeft({ config, mountId: identity.mountId, runtimeDirectory, cacheDirectory, log });
  assert.ok(found?.restored !== undefined);
  return { ...found, restored: found.restored };
}

test('a server that resumes a connection knows what the server before it had verified', async (t) => {
  const places = await Places.make(t);
  places.source.put('dags/a.py');
  places.source.put('dags/b.py');
  await places.publish(100);
  const found = await left(places);
  const { generation } = found.restored;
  const verified = new BigUint64Array(generation.entries);
  verified[generation.find('dags/b.py')] = 77n;
  const at = (kept: Parameters<typeof keptContent>[0]): readonly bigint[] => [
    ...keptContent(kept, places.runtimeDirectory)!.fingerprints,
  ];
  assert.ok(at(found).every((fingerprint) => fingerprint === 0n));
  places.store.recordVerified(generation.number, verified);
  assert.deepEqual(at(found), [...verified]);
  assert.ok(
    at({ ...found, succession: undefined }).every((fingerprint) => fingerprint === 0n),
    'a server that makes the mount again verifies again',
  );
  assert.equal(
    keptContent({ restored: undefined, succession: undefined }, places.runtimeDirectory),
    undefined,
  );
});

test('nothing that is verified is left behind when the mount is gone', async (t) => {
  const places = await Places.make(t);
  places.source.put('dags/a.py');
  await places.publish(100);
  const { generation } = (await left(places)).restored;
  places.store.recordVerified(generation.number, new BigUint64Array(generation.entries));
  const { verified, verifiedNext } = takeoverPaths(places.runtimeDirectory);
  assert.ok(existsSync(verified));
  writeFileSync(verifiedNext, 'of a server that was killed while it wrote');
  await places.store.close({ unmounted: true });
  assert.ok(!existsSync(verified) && !existsSync(verifiedNext));
});
