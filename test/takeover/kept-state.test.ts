import assert from 'node:assert/strict';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { MountConfig } from '../../src/config/mount-config.ts';
import { systemClock } from '../../src/sync/system-clock.ts';
import { decideSuccession, type KeptTree, openKeptState, readLeft } from '../../src/takeover/kept-state.ts';
import { identity, Places } from '../state/places.ts';
import { RecordingLog } from '../support/recording-log.ts';

const SHOWN = { seconds: 1, nanoseconds: 0 };

/** A tree of which a predecessor left a replaced version and a removed directory. */
async function leftTree(t: TestContext): Promise<Places> {
  const places = await Places.make(t);
  places.source.put('dags/a.py');
  await places.publish(100);
  places.source.put('dags/a.py', 'changed');
  await places.publish(200);
  return places;
}

/** The tree as the next server reads it. */
async function nextOf(t: TestContext, places: Places, since: typeof SHOWN | undefined): Promise<KeptTree> {
  const { runtimeDirectory, cacheDirectory } = places;
  const kept = await openKeptState({
    config: { include: [], exclude: [] } as unknown as MountConfig,
    mountId: identity.mountId,
    runtimeDirectory,
    cacheDirectory,
    takesOver: since !== undefined,
    clock: systemClock,
    log: new RecordingLog(),
  });
  t.after(() => kept.store.close({ unmounted: false }));
  return { tree: { mark: { since } }, kept };
}

/** How many replaced inodes and removed directories each tree is resumed with. */
function inodesOf(trees: readonly KeptTree[]): readonly (readonly [number, number] | undefined)[] {
  return trees.map(
    ({ kept: { restored } }) => restored && [restored.replaced.length, restored.removedDirectories.size],
  );
}

test('a connection is resumed with what the kernel may hold, if every tree that it may know was kept', async (t) => {
  const known = await nextOf(t, await leftTree(t), SHOWN);
  const unknown = await nextOf(t, await leftTree(t), undefined);
  const { canGoOn, trees } = decideSuccession([known, unknown], true);
  assert.ok(canGoOn);
  assert.deepEqual(inodesOf(trees), [
    [1, 1],
    [0, 0],
  ]);
  assert.ok(trees[0]!.kept.succession !== undefined);
});

test('where one tree was not kept, the new mount holds no inode of the old connection in any tree', async (t) => {
  const kept = await leftTree(t);
  for (const damage of [(file: string) => rm(file), (file: string) => writeFile(`${file}.previous`, '')]) {
    const other = await leftTree(t);
    await damage(other.takeover);
    const found = [await nextOf(t, kept, SHOWN), await nextOf(t, other, SHOWN)];
    const { canGoOn, trees } = decideSuccession(found, true);
    assert.ok(!canGoOn);
    assert.deepEqual(inodesOf(trees), [
      [0, 0],
      [0, 0],
    ]);
    for (const { kept } of trees) assert.equal(kept.succession, undefined);
  }
});

test('a connection that cannot be used, and one that no tree was shown through, are not resumed', async (t) => {
  const places = await leftTree(t);
  const known = await nextOf(t, places, SHOWN);
  const unusable = decideSuccession([known], false);
  assert.ok(!unusable.canGoOn);
  assert.deepEqual(inodesOf(unusable.trees), [[0, 0]]);
  const unknown = await nextOf(t, places, undefined);
  assert.ok(!decideSuccession([unknown], true).canGoOn);
});

test('a standby that reads what a serving server keeps changes no file, even if the state cannot be used', async (t) => {
  const previous = (places: Places): string => `${places.takeover}.previous`;
  const damages: readonly (readonly [readable: boolean, damage: (places: Places) => Promise<void>])[] = [
    [true, async () => undefined],
    // The runtime directory was full when the server published, so that it could not store the previous state.
    [false, (places) => writeFile(previous(places), '')],
    [false, (places) => rm(places.takeover)],
    [false, (places) => writeFile(places.takeover, 'damaged')],
  ];
  for (const [isReadable, damage] of damages) {
    const places = await leftTree(t);
    await damage(places);
    for (const path of [`${places.takeover}.next`, `${places.coldStart}.tmp`])
      await writeFile(path, 'unfinished');
    const files = async (): Promise<readonly (readonly [string, string])[]> => {
      const found = await readdir(join(places.runtimeDirectory, '..'), {
        recursive: true,
        withFileTypes: true,
      });
      const paths = found
        .filter((each) => each.isFile())
        .map(({ parentPath, name }) => join(parentPath, name));
      return Promise.all(paths.sort().map(async (path) => [path, await readFile(path, 'base64')] as const));
    };
    const before = await files();
    const { runtimeDirectory, cacheDirectory } = places;
    const config = { include: [], exclude: [] } as unknown as MountConfig;
    const log = new RecordingLog();
    const left = await readLeft({ config, mountId: identity.mountId, runtimeDirectory, cacheDirectory, log });
    assert.equal(left?.succession !== undefined, isReadable);
    assert.deepEqual(await files(), before);
  }
});
