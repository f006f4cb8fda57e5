import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { repository } from '../support/repository.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { compilerMissing } from '../takeover/machine-program.ts';

async function walk(t: TestContext, end: string): Promise<readonly string[]> {
  const program = join(await temporaryDirectory(t), 'threads-walk');
  const sources = ['test/native/threads-walk.c', 'native/supervisor/threads.c'];
  const flags = ['-std=gnu17', '-Wall', '-Wextra', '-Werror', '-D_GNU_SOURCE', '-pthread', '-o', program];
  const { status, stderr } = spawnSync('cc', [...flags, ...sources.map((path) => join(repository, path))]);
  assert.equal(status, 0, String(stderr));
  return spawnSync(program, [end], { encoding: 'utf8' }).stdout.trim().split('\n');
}

describe('the threads of a server', { skip: compilerMissing }, () => {
  test('show that it was killed, and by what', async (t) => {
    const [alive = '', dead = ''] = await walk(t, 'killed');
    assert.match(alive, /^alive: hint 0, exiting 0/);
    // Before Linux 6.9 there is no pidfd of a thread, and no hint.
    assert.equal(dead, `dead: hint ${alive.at(-1)}, exiting 1, status 9 of 9`);
  });

  test('do not show an exit code of 0, which could mean that it is unknown', async (t) => {
    const [, dead = ''] = await walk(t, 'exited');
    assert.match(dead, /^dead: hint \d, exiting 0, status 0 of 0$/);
  });
});
