import { execFile } from 'node:child_process';
import { realpathSync } from 'node:fs';
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
  readonly #kubeletDirectory: string;

  constructor(kubeletDirectory: string) {
    this.#kubeletDirectory = kubeletDirectory;
  }

  /** By the paths that kubelet uses: its directory may be a link, and the kernel names what it leads to. */
  mounts(): readonly Mount[] {
    const mounts = readMounts();
    const named = this.#kubeletDirectory;
    const real = realpathSync(named);
    if (real === named) return mounts;
    return mounts.map((mount) =>
      mount.mountPoint.startsWith(`${real}/`)
        ? { ...mount, mountPoint: named + mount.mountPoint.slice(real.length) }
        : mount,
    );
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
