import { type MountState, readMountStates } from '../host/mount-state.ts';
import { isStopped, signalProcess } from '../host/process.ts';

/** The longest life of fuse-native's process without its server: 60 s, 5 s for the last readers, and a margin. */
const LONGEST_MS = 75_000;

/**
 * The process of fuse-native that answered the kernel for an earlier server. It ends by itself once its mount
 * is unused, or after LONGEST_MS. If the process is stopped or hangs, it does not end by itself, and its
 * readers would wait for ever.
 */
export class OrphanedSession {
  readonly #process: MountState['session'];

  /**
   * Must be constructed before this server overwrites the state file. `runtimeDirectory` is that of all
   * mounts of the user.
   */
  constructor(runtimeDirectory: string, { target, source }: Pick<MountState, 'source' | 'target'>) {
    this.#process = readMountStates(runtimeDirectory, process.geteuid?.() ?? 0).find(
      (state) => state.target === target && state.source === source,
    )?.session;
  }

  /**
   * Kills the process: immediately if it is stopped, otherwise after LONGEST_MS. Must be called once a new
   * mount has replaced the mount of that process.
   */
  replaced(): void {
    const left = this.#process;
    if (left === undefined) return;
    if (isStopped(left.pid)) signalProcess(left, 'SIGKILL');
    else setTimeout(() => signalProcess(left, 'SIGKILL'), LONGEST_MS).unref();
  }
}
