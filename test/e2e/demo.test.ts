import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type Child, startChild } from '../support/child.ts';
import { mountImpossible } from '../support/mount.ts';
import { processesNaming } from '../support/processes.ts';
import { read } from '../support/reader.ts';
import { repository } from '../support/repository.ts';
import { type Cleanup, defer, temporaryDirectory } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';

/** What scripts/demo runs when all is installed and built. */
function startDemo(t: Cleanup, directory: string, ...args: readonly string[]): Child {
  const demo = startChild(process.execPath, [join(repository, 'dist/scripts/demo.js'), ...args], {
    env: { ...process.env, TMPDIR: directory, NO_COLOR: '1' },
  });
  defer(t, () => demo.kill('SIGKILL'));
  return demo;
}

/** What the pattern finds in its output, unless it ends before. */
async function said(demo: Child, pattern: RegExp): Promise<RegExpExecArray> {
  return await waitFor(`the demo to say ${pattern}`, () => {
    const found = pattern.exec(demo.stdout()) ?? undefined;
    if (found === undefined && demo.process.exitCode !== null) throw new Error(demo.stderr());
    return found;
  });
}

async function nothingIsLeft(directory: string): Promise<void> {
  assert.doesNotMatch(readFileSync('/proc/self/mountinfo', 'utf8'), new RegExp(directory));
  assert.deepEqual(processesNaming(directory), []);
  assert.deepEqual(await readdir(directory), []);
}

describe('the demo', { skip: mountImpossible }, () => {
  test('shows a tree and a change that arrives, and leaves nothing behind', async (t) => {
    const directory = await temporaryDirectory(t);
    const demo = startDemo(t, directory, '--once');
    assert.equal((await demo.exit).code, 0, demo.stderr());
    assert.match(demo.stdout(), /daily_sales\.py/);
    assert.match(demo.stdout(), /revision 1.*revision 2.*arrived in the mount \d+\.\d\d s/s);
    assert.equal(demo.stderr(), '');
    await nothingIsLeft(directory);
  });

  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    test(`serves until ${signal}, and leaves nothing behind`, async (t) => {
      const directory = await temporaryDirectory(t);
      const demo = startDemo(t, directory);
      const look = await waitFor(
        'the end of the show',
        () => /look +ls -l (\S+)/.exec(demo.stdout())?.[1],
        60_000,
      );
      assert.match(await read('ls', [look]), /README\.md/);
      demo.kill(signal);
      assert.equal((await demo.exit).code, 0, demo.stderr());
      await nothingIsLeft(directory);
    });
  }

  test('ended while it still mounts, leaves nothing behind', async (t) => {
    const directory = await temporaryDirectory(t);
    const demo = startDemo(t, directory);
    await said(demo, /uploaded/);
    demo.kill('SIGTERM');
    assert.equal((await demo.exit).code, 0, demo.stderr());
    await nothingIsLeft(directory);
  });
});
