import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { promisify } from 'node:util';
import { type Cleanup, defer } from './temporary.ts';

const run = promisify(execFile);

/** Makes the directory if it is missing. Until the test ends, other mount namespaces see mounts below the directory. */
export async function shareMounts(test: Cleanup, directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  await bind(directory);
  defer(test, () => unbind(directory));
  await share(directory);
}

/** Does what a restart of the host does: removes all mounts below the directory, and shares it again. */
export async function shareMountsAnew(directory: string): Promise<void> {
  await unbind(directory);
  await bind(directory);
  await share(directory);
}

async function bind(directory: string): Promise<void> {
  await run('mount', ['--bind', directory, directory]);
}

async function share(directory: string): Promise<void> {
  await run('mount', ['--make-shared', directory]);
}

async function unbind(directory: string): Promise<void> {
  await run('umount', ['-R', '-l', directory]);
}
