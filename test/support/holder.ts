import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Child, startChild } from './child.ts';
import { cleanEnvironment } from './mount.ts';
import { repository } from './repository.ts';
import { type Cleanup, defer } from './temporary.ts';
import { waitFor } from './wait-for.ts';

/** The holder of this repository's build. */
const program = join(repository, 'build/Release/dagmount-holder');

export const holderMissing = existsSync(program) ? false : 'the holder is not compiled';

/** Starts a holder and waits until it listens. `wrapper` comes before its command, and execs it. */
export async function startHolder(
  test: Cleanup,
  socket: string,
  wrapper: readonly string[] = [],
): Promise<Child> {
  const [command = program, ...args] = [...wrapper, program, socket];
  // The tests' own process may run under a sanitizer; the holder must run without it.
  const child = startChild(command, args, { env: cleanEnvironment() });
  defer(test, async () => {
    child.kill('SIGKILL');
    await child.exit;
  });
  await waitFor('the holder', () => isListening(child.pid, socket));
  return child;
}

/** The environment variables with which a mount uses the holder. */
export function heldAt(socket: string): Readonly<Record<'DAGMOUNT_HOLD' | 'DAGMOUNT_HOLD_KEY', string>> {
  return { DAGMOUNT_HOLD: socket, DAGMOUNT_HOLD_KEY: randomBytes(32).toString('hex') };
}

/** Looks without connecting, in the holder's network namespace. The kernel lists no socket file that is left over. */
function isListening(pid: number, socket: string): boolean {
  return readFileSync(`/proc/${pid}/net/unix`, 'latin1')
    .split('\n')
    .some((line) => line.endsWith(` ${socket}`));
}
