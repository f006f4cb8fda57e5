import assert from 'node:assert/strict';
import { chmodSync, chownSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { persistedFiles } from '../../src/base/persisted-files.ts';
import type { MountState } from '../../src/host/mount-state.ts';
import { clearAfter } from '../../src/takeover/clear-after.ts';
import { type Cleanup, temporaryDirectory } from '../support/temporary.ts';

const MARK = persistedFiles.treeMark.name;
const STATE = persistedFiles.takeover.name;
const OTHER = { uid: 4321, gid: 4321 };
const notRoot = process.geteuid?.() === 0 ? false : 'only root cleans up after another user';

/** The runtime directory of a killed mount of another user, with these files below it. */
async function left(t: Cleanup, files: readonly string[]) {
  const all = await temporaryDirectory(t);
  chmodSync(all, 0o755);
  const directory = join(all, 'aaaaaaaaaaaa');
  const made = new Set([all, directory]);
  mkdirSync(directory);
  for (const file of files) {
    const path = join(directory, file);
    for (let at = directory; ; ) {
      const [next, ...rest] = path.slice(at.length + 1).split('/');
      at = join(at, next!);
      made.add(at);
      if (rest.length === 0) break;
      if (!existsSync(at)) mkdirSync(at, { mode: 0o700 });
    }
    writeFileSync(path, 'x');
  }
  const own = (): void => {
    for (const path of made) chownSync(path, OTHER.uid, OTHER.gid);
  };
  own();
  const clear = () => clearAfter({ directory, socket: null } as unknown as MountState, OTHER);
  return { all, directory, clear };
}

describe("after another user's killed mount of several trees", { skip: notRoot }, () => {
  test('its runtime directory goes, and so do those of its trees', async (t) => {
    const { directory, clear } = await left(t, ['state.json', `trees/a/${MARK}`, `trees/team%2Fb/${MARK}`]);
    assert.equal(await clear(), undefined);
    assert.equal(existsSync(directory), false);
  });

  test('the state of a tree stays, which its next start may need', async (t) => {
    const { directory, clear } = await left(t, [`trees/a/${MARK}`, `trees/a/${STATE}`, `trees/b/${MARK}`]);
    assert.equal(await clear(), undefined);
    assert.deepEqual(
      [`trees/a/${MARK}`, `trees/a/${STATE}`, 'trees/b'].map((path) => existsSync(join(directory, path))),
      [false, true, false],
    );
  });

  test('nothing behind a link in the place of its trees is touched', async (t) => {
    const { all, directory, clear } = await left(t, ['state.json']);
    mkdirSync(join(all, 'victim/a'), { recursive: true });
    writeFileSync(join(all, `victim/a/${MARK}`), 'precious');
    symlinkSync(join(all, 'victim'), join(directory, 'trees'));
    assert.match((await clear()) ?? '', /trees/);
    assert.equal(existsSync(join(directory, 'state.json')), false);
    assert.equal(existsSync(join(all, `victim/a/${MARK}`)), true);
  });
});
