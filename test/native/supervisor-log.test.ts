import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { closeSync, fstatSync, ftruncateSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { repository } from '../support/repository.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';

const supervisor = join(repository, 'build/Release/dagmount-supervisor');

test('the supervisor says in a line of the log that it cannot run the server', async (t) => {
  const file = '/no/such "program"\n';
  const child = spawn(supervisor, [file]);
  t.after(() => child.kill('SIGKILL'));
  let text = '';
  child.stderr.setEncoding('utf8').on('data', (more: string) => {
    text += more;
  });
  await waitFor('its line', () => text.includes('\n'));
  const { time, msg, ...line } = JSON.parse(text.split('\n')[0] ?? '');
  assert.deepEqual(line, {
    level: 'error',
    event: 'server-not-started',
    file,
    detail: 'No such file or directory',
  });
  assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.equal(typeof msg, 'string');
});

test("its line has systemd's priority where it goes to the journal", async (t) => {
  const path = join(await temporaryDirectory(t), 'stream');
  const fd = openSync(path, 'w');
  t.after(() => closeSync(fd));
  const { dev, ino } = fstatSync(fd);
  for (const [stream, beginning] of [
    [`${dev}:${ino}`, '<3>{"level":"error"'],
    [`${dev}:${ino + 1}`, '{"level":"error"'],
  ] as const) {
    ftruncateSync(fd);
    const env = { ...process.env, JOURNAL_STREAM: stream };
    const child = spawn(supervisor, ['/no/such'], { env, stdio: ['ignore', 'ignore', fd] });
    t.after(() => child.kill('SIGKILL'));
    const text = (): string => readFileSync(path, 'utf8').replace(/^\0+/, '');
    await waitFor('its line', () => text().includes('\n'));
    assert.ok(text().startsWith(beginning), text());
    child.kill('SIGKILL');
  }
});
