import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { manyFiles, mountStore, openStore } from '../e2e/fixture.ts';
import { mountImpossible } from '../support/mount.ts';
import { mountsAt } from '../support/mountinfo.ts';
import { processesNaming } from '../support/processes.ts';
import { shell } from '../support/reader.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';

const TIMES = Number(process.env.DAGMOUNT_TEST_TIMES ?? 50);

/** What a host still has of a mount that is gone, found by its names; this must be nothing. */
function leftOf(target: string, socket: string): readonly string[] {
  const own = socket.replace(/\.sock$/, '');
  return [
    ...processesNaming(target),
    ...mountsAt(target).map(({ type }) => `a mount of type ${type}`),
    ...[socket, own].filter((path) => existsSync(path)),
    ...readFileSync('/proc/net/unix', 'utf8')
      .split('\n')
      .filter((line) => line.includes(socket)),
  ];
}

test(`${TIMES} times mounted, used and unmounted leave no process, mount, thread, descriptor, file or socket`, {
  skip: mountImpossible,
}, async (t) => {
  const store = await openStore(t, manyFiles(50, 1_000));
  const directory = await temporaryDirectory(t);
  // Other tests have their temporary files in the usual place.
  process.env.TMPDIR = directory;
  const counts = () => ({
    temporary: readdirSync(tmpdir()).filter((name) => name.startsWith('dagmount')).length,
    descriptors: readdirSync('/proc/self/fd').length,
    threads: readdirSync('/proc/self/task').length,
  });
  let before: ReturnType<typeof counts> | undefined;
  for (let time = 0; time < TIMES; time++) {
    const endings: (() => Promise<void> | void)[] = [];
    const cleanup = { after: (ending: () => Promise<void> | void) => void endings.push(ending) };
    const mount = await mountStore(cleanup, store, { cacheDirectory: `${directory}/cache` });
    const socket = mount.socket();
    assert.equal((await shell(mount.target, 'find . -type f | xargs cat | wc -c')).trim(), '50000');
    if (time % 3 === 1) process.kill(await mount.serverPid(), 'SIGKILL');
    if (time % 3 === 2) await shell('/', `umount ${mount.target} || fusermount3 -u ${mount.target}`);
    else assert.equal((await mount.stop()).code, 0);
    assert.equal((await mount.exit).code, 0);
    await waitFor(`nothing to be left: ${leftOf(mount.target, socket)}`, () => {
      return leftOf(mount.target, socket).length === 0;
    });
    for (const end of endings) await end();
    // The first round loads and opens what stays for later ones.
    if (time === 0) before = counts();
  }
  const after = counts();
  t.diagnostic(`after the first: ${JSON.stringify(before)}, after the last: ${JSON.stringify(after)}`);
  assert.equal(after.temporary, before?.temporary);
  assert.ok(after.descriptors <= (before?.descriptors ?? 0));
  assert.ok(after.threads <= (before?.threads ?? 0));
});
