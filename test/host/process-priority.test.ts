import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { getPriority } from 'node:os';
import { test } from 'node:test';
import { startChild } from '../support/child.ts';
import { repository } from '../support/repository.ts';
import { defer } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';

/** A process that first raises the priority of itself and of its child, and restores it when it is asked to. */
const program = `
  import { spawn } from 'node:child_process';
  import { once } from 'node:events';
  import { raisePriority } from '${repository}/dist/src/host/process-priority.js';
  const child = spawn('sleep', ['60']);
  await once(child, 'spawn');
  const restore = raisePriority(3);
  console.log(child.pid);
  process.stdin.once('data', () => { restore(); console.log('restored'); });
  process.stdin.once('end', () => { child.kill(); process.exit(); });
`;

test('every thread of a server, and of what it has started, goes before others until it is restored', {
  skip: process.getuid?.() === 0 ? false : 'it takes root to go before others',
}, async (t) => {
  const child = startChild(process.execPath, ['--input-type=module', '-e', program], { stdin: 'pipe' });
  defer(t, async () => {
    child.process.stdin?.end();
    await child.exit;
  });
  await waitFor('it to have started', () => child.stdout().includes('\n'), 30_000);
  const pids = [child.pid, Number(child.stdout().split('\n')[0])];
  const priorities = (): readonly number[] =>
    pids.flatMap((pid) => readdirSync(`/proc/${pid}/task`).map((thread) => getPriority(Number(thread))));
  assert.ok(priorities().length > 2, 'Node.js has threads of its own');
  assert.deepEqual(new Set(priorities()), new Set([-12]));
  child.process.stdin?.write('back\n');
  await waitFor('it to be restored', () => child.stdout().includes('restored'), 30_000);
  assert.deepEqual(new Set(priorities()), new Set([3]));
});
