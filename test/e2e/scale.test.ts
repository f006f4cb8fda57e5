import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mountImpossible } from '../support/mount.ts';
import { mountMany } from '../support/mounted-many.ts';
import { shell } from '../support/reader.ts';
import { waitFor } from '../support/wait-for.ts';

const MiB = 2 ** 20;

test('100,000 objects mount, are walked and change, in 400 MiB', { skip: mountImpossible }, async (t) => {
  const objects = 100_000;
  const { store, mount, memory } = await mountMany(t, objects, 60_000);
  assert.equal(await shell(mount.target, 'find . -type f | wc -l'), `${objects}\n`);
  const last = 'd00000999/f00099999.py';
  assert.equal(await shell(mount.target, `cat ${last}`), '# object 00099999 revision 00000000\n');
  await store.revise(99_990, 100_000);
  // Not prefetched: an object that has changed in the store is ESTALE until the next listing.
  const look = (): Promise<string> => shell(mount.target, `cat ${last} 2>/dev/null || true`);
  await waitFor('the change', async () => (await look()).includes('revision 00000001'), 60_000);
  assert.equal(await shell(mount.target, 'find . -type f -printf "%s\\n" | sort -u'), '36\n');
  const most = memory.stop();
  t.diagnostic(`at its highest ${(most / MiB).toFixed(0)} MiB`);
  assert.ok(most > 20 * MiB && most < 400 * MiB, `${most / MiB} MiB`);
  assert.equal((await mount.stop()).code, 0);
});
