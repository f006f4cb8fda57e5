import { type MountState, readMountStates } from '../host/mount-state.ts';
import { isStopped, signalProcess } from '../host/process.ts';

/** How long the process of fuse-native stays at most where all is well: 60 s alone, and 5 s for who still reads. */
const LONGEST_MS = 75_000;

/**
 * The process in which libfuse answered for a server before. It ends by itself when nobody uses its mount any more, or not
 * soon; one that was stopped, or hangs, does not, and who reads there waits for ever.
 */
export class OrphanedSession {
  readonly #process: MountState['session'];

  /** To be made before this server says what it is. `runtimeDirectory`: of all mounts. */
  constructor(runtimeDirectory: string, { target, source }: Pick<MountState, 'source' | 'target'>) {
    this.#process = readMountStates(runtimeDirectory, process.geteuid?.() ?? 0).find(
      (state) => state.target === target && state.source === source,
    )?.session;
  }

  /** There is a mount in the place of its own. */
  replaced(): void {
    const left = this.#process;
    if (left === undefined) return;
    if (isStopped(left.pid)) signalProcess(left, 'SIGKILL');
    else setTimeout(() => signalProcess(left, 'SIGKILL'), LONGEST_MS).unref();
  }
}
