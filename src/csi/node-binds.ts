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
 * Runs mount(8) and umount(8), so that a mount that does not answer cannot block the driver's own threads.
 * With -c these programs use the paths as they are: the driver has checked the paths, but not the targets of
 * links.
 */
export class NodeBinds implements Binds {
  readonly #limit = pLimit(AT_A_TIME);
  readonly #kubeletDirectory: string;

  constructor(kubeletDirectory: string) {
    this.#kubeletDirectory = kubeletDirectory;
  }

  /**
   * Returns the mounts of this host, with the paths that kubelet uses. kubelet's directory may be a link, and
   * the kernel reports the link's target.
   */
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
    // The filesystem is read-only by itself. The bind is read-only too, so that its options show it.
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
