import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import pLimit from 'p-limit';
import { type Mount, readMounts } from '../host/mountinfo.ts';
import type { Binds } from './node-volumes.ts';
import { VolumeError } from './volume-error.ts';

const run = promisify(execFile);
const DEADLINE_MS = 20_000;
const AT_A_TIME = 8;

/**
 * By mount(8) and umount(8), which a mount that does not answer cannot take the driver's own threads with. Paths are used as
 * they are (-c): they were checked, and what a link leads to was not.
 */
export class NodeBinds implements Binds {
  readonly #limit = pLimit(AT_A_TIME);

  mounts(): readonly Mount[] {
    return readMounts();
  }

  async bind(source: string, target: string): Promise<void> {
    // The filesystem itself is read-only; so is the bind, for those who look at it.
    const args = ['-c', '--bind', '-o', 'ro,nosuid,nodev', '--', source, target];
    await this.#limit(() => call('mount', args));
  }

  async unbind(target: string): Promise<void> {
    await this.#limit(() => call('umount', ['-c', '-l', '--', target]));
  }
}

async function call(program: string, args: readonly string[]): Promise<void> {
  try {
    await run(program, args, { timeout: DEADLINE_MS, killSignal: 'SIGKILL' });
  } catch (error) {
    const { stderr = '' } = error as { readonly stderr?: string };
    const said = stderr.trim().split('\n', 1)[0] || String(error);
    throw new VolumeError('failed', `${program} failed: ${said}.`, 'The driver needs CAP_SYS_ADMIN.', error);
  }
}
