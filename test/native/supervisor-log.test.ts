import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { repository } from '../support/repository.ts';
import { waitFor } from '../support/wait-for.ts';

test('the supervisor says in a line of the log that it cannot run the server', async (t) => {
  const file = '/no/such "program"\n';
  const child = spawn(join(repository, 'build/Release/dagmount-supervisor'), [file]);
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
