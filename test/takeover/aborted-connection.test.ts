import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { startChild } from '../support/child.ts';
import { cleanEnvironment, parseLog } from '../support/mount.ts';
import { repository } from '../support/repository.ts';
import { supervisor, supervisorMissing } from '../support/supervised.ts';
import { type Cleanup, defer, temporaryDirectory } from '../support/temporary.ts';

/** Runs a server that dies, and whose successors do, until the supervisor has given up the connection. */
async function abortAfter(t: Cleanup, kind: 'named' | 'anew' | 'ended', hasFile = true) {
  const directory = await temporaryDirectory(t);
  const [fifo, file] = [join(directory, 'connection'), join(directory, 'abort')];
  execFileSync('mkfifo', [fifo]);
  if (hasFile) writeFileSync(file, '');
  const server = ['python3', join(repository, 'test/support/dying-server.py'), kind, fifo, file];
  const child = startChild(supervisor, server, { env: cleanEnvironment() });
  defer(t, () => child.kill('SIGKILL'));
  assert.deepEqual(await child.exit, { code: 0, signal: null }, child.stderr());
  const failures = parseLog(child.stderr()).map(({ event, file: named }) => ({ event, file: named }));
  return { file, failures, written: existsSync(file) ? readFileSync(file, 'utf8') : undefined };
}

describe('a connection whose readers waited until the deadline', { skip: supervisorMissing }, () => {
  test('is aborted by the file that its server named', async (t) => {
    const { written, failures } = await abortAfter(t, 'named');
    assert.deepEqual([written, failures], ['1', []]);
  });

  test('is not aborted by the file of an earlier connection, and the log says that no file is known', async (t) => {
    const { written, failures } = await abortAfter(t, 'anew');
    assert.deepEqual([written, failures], ['', [{ event: 'readers-not-freed', file: undefined }]]);
  });

  test('is not aborted once it has ended, because its file may be that of another mount', async (t) => {
    const { written, failures } = await abortAfter(t, 'ended');
    assert.deepEqual([written, failures], ['', []]);
  });

  test('ends with its device where the kernel shows no such file, as in a container', async (t) => {
    const { written, failures } = await abortAfter(t, 'named', false);
    assert.deepEqual([written, failures], [undefined, []]);
  });
});
