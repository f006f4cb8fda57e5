import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { takeoverPaths } from '../../src/state/takeover-file.ts';
import { mountCallImpossible } from '../support/privileges.ts';
import { defer } from '../support/temporary.ts';
import { Places } from './places.ts';

/** A mount whose runtime directory is a filesystem of 128 KiB. */
async function onSmallDisk(t: TestContext): Promise<Places> {
  const places = await Places.make(t);
  const { runtimeDirectory } = places;
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=128k', 'dagmount-test', runtimeDirectory]);
  let mounted = true;
  const unmount = (): void => {
    if (mounted) execFileSync('umount', ['-l', runtimeDirectory]);
    mounted = false;
  };
  defer(t, unmount);
  // If a test hangs, the runner abandons it without running its hooks.
  process.once('exit', unmount);
  return places;
}

/** Leaves no room on the disk. */
function fill(directory: string): void {
  for (let bytes = 65_536, file = 0; bytes >= 4_096; file++) {
    try {
      writeFileSync(join(directory, `filling-${file}`), Buffer.alloc(bytes));
    } catch {
      rmSync(join(directory, `filling-${file}`), { force: true });
      bytes /= 2;
    }
  }
}

test('on a full disk, the record of what is verified gives its room to the state', {
  skip: mountCallImpossible,
}, async (t) => {
  const places = await onSmallDisk(t);
  const { runtimeDirectory, store } = places;
  const { current, verified, verifiedNext } = takeoverPaths(runtimeDirectory);
  places.source.put('dags/a.py');
  await places.publish(100);
  store.recordVerified(1, new BigUint64Array(8_000));
  fill(runtimeDirectory);
  places.source.put('dags/b.py');
  await places.publish(200);
  assert.deepEqual([existsSync(current), existsSync(verified)], [true, false]);
  assert.deepEqual(store.troubles, []);

  fill(runtimeDirectory);
  places.source.put('dags/c.py');
  await places.publish(300);
  assert.deepEqual(store.troubles, ['state-unwritable']);
  store.recordVerified(3, new BigUint64Array(1));
  assert.deepEqual(
    [existsSync(current), existsSync(verified), existsSync(verifiedNext)],
    [false, false, false],
  );
});
