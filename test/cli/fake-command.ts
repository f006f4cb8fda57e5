import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Child, startChild } from '../support/child.ts';
import { cleanEnvironment } from '../support/mount.ts';
import { type Cleanup, defer, temporaryDirectory } from '../support/temporary.ts';

const entry = join(dirname(fileURLToPath(import.meta.url)), 'fake-main.js');

export interface FakeMount {
  readonly child: Child;
  readonly directory: string;
  readonly target: string;
}

/** Starts `mount s3://BEHAVIOUR/p` with a server that mounts nothing (fake-main.ts). */
export async function fakeMount(
  t: Cleanup,
  behaviour: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<FakeMount> {
  const directory = await temporaryDirectory(t);
  const target = join(directory, 'dags');
  await mkdir(target);
  // The cache directory distinguishes the processes of this mount from those of other tests.
  const command = [entry, 'mount', `s3://${behaviour}/p`, '--cache-dir', join(directory, 'cache')];
  const child = startChild(process.execPath, [...command, 'dags', ...args], {
    cwd: directory,
    env: cleanEnvironment({ XDG_RUNTIME_DIR: directory, ...env }),
  });
  defer(t, () => child.kill('SIGKILL'));
  return { child, directory, target };
}

/** The log that a daemon's start, or its failure, names. It is removed at the end, since root's logs are in /run. */
export async function logOf(t: Cleanup, said: string): Promise<string> {
  const path = /(\/\S+\.log)\b/.exec(said)?.[1];
  if (path === undefined || !existsSync(path)) throw new Error(`no log is named: ${said}`);
  defer(t, () => rm(path, { force: true }));
  return path;
}
