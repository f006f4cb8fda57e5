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

/** Starts the program that scripts/demo runs once everything is installed and built. */
function startDemo(t: Cleanup, directory: string, ...args: readonly string[]): Child {
  const demo = startChild(process.execPath, [join(repository, 'dist/scripts/demo.js'), ...args], {
    env: { ...process.env, TMPDIR: directory, NO_COLOR: '1' },
  });
  defer(t, () => demo.kill('SIGKILL'));
  return demo;
}

/** Waits for the pattern in the demo's output; throws if the demo ends before. */
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
  test('shows a change that arrives, a deploy and a roll-back, and leaves nothing behind', async (t) => {
    const directory = await temporaryDirectory(t);
    const demo = startDemo(t, directory, '--once');
    assert.equal((await demo.exit).code, 0, demo.stderr());
    assert.match(demo.stdout(), /daily_sales\.py/);
    assert.match(demo.stdout(), /revision 1.*revision 2.*arrived in the mount \d+\.\d\d s/s);
    const [, releases = ''] = demo.stdout().split('deployed as releases');
    const seconds = '\\d+\\.\\d\\d s';
    assert.match(releases, new RegExp(`production step 1 .*deployed in ${seconds}\\n`, 's'));
    assert.match(releases, /mounted .* in \d+ ms, with\n.* --ref production /);
    const deploy = '\\$ dagmount deploy my_pipeline\\.py production .*~ my_pipeline\\.py.*# revision 2';
    assert.match(
      releases,
      new RegExp(`${deploy}.*deployed in ${seconds}, in the mount ${seconds} later`, 's'),
    );
    assert.match(releases, /\$ dagmount releases production\n.*\n +2 .* deploy .*\n +1 .* deploy /);
    const rollback = '\\$ dagmount rollback production .*# revision 1';
    assert.match(releases, new RegExp(`${rollback}.*back in ${seconds}, in the mount ${seconds} later`, 's'));
    assert.equal(demo.stderr(), '');
    await nothingIsLeft(directory);
  });

  test('serves until SIGINT, and leaves nothing behind', async (t) => {
    const directory = await temporaryDirectory(t);
    const demo = startDemo(t, directory);
    const [, tree = '', released = ''] = await said(demo, /look +ls -l (\S+) (\S+)/);
    assert.match(await read('ls', [tree]), /README\.md/);
    assert.match(await read('ls', [released]), /my_pipeline\.py/);
    demo.kill('SIGINT');
    assert.equal((await demo.exit).code, 0, demo.stderr());
    await nothingIsLeft(directory);
  });

  for (const [signal, stage, words] of [
    ['SIGTERM', 'mounts', /uploaded/],
    ['SIGHUP', 'deploys', /\$ dagmount deploy \./],
  ] as const) {
    test(`ended by ${signal} while it still ${stage}, leaves nothing behind`, async (t) => {
      const directory = await temporaryDirectory(t);
      const demo = startDemo(t, directory);
      await said(demo, words);
      demo.kill(signal);
      assert.equal((await demo.exit).code, 0, demo.stderr());
      await nothingIsLeft(directory);
    });
  }
});
