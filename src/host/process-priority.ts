import { readdirSync, readFileSync } from 'node:fs';
import { setPriority } from 'node:os';

/**
 * The nice levels by which a server is raised. With 16 readers using the kernel's caches, the server's share
 * of the processor then rises from one tenth to four fifths. Meanwhile, reads of content that is not local
 * wait until the cache is scanned: on 2 cores, the median of the longest such read after a kill was 0.75 s,
 * and 1 s with 10 levels.
 */
const AHEAD = 15;
const MOST = -20;

/**
 * Raises the priority of every thread of this process and of its children, if that is permitted (to root,
 * with CAP_SYS_NICE, or by RLIMIT_NICE).
 *
 * @param usual the nice value of this process otherwise
 * @returns a function that restores the usual priority
 */
export function raisePriority(usual: number): () => void {
  const set = (priority: number): void => {
    for (const thread of threads()) attempt(() => setPriority(thread, priority));
  };
  set(Math.max(MOST, usual - AHEAD));
  return () => set(usual);
}

/**
 * Returns the threads of this process and of its children, because fuse-native has its own process, which
 * inherits the nice value of the server that started it.
 */
function threads(): readonly number[] {
  const own = threadsOf('self');
  const children = own.flatMap(
    (thread) => attempt(() => readFileSync(`/proc/self/task/${thread}/children`, 'latin1').split(' ')) ?? [],
  );
  return [...own, ...children.filter((pid) => pid !== '').flatMap(threadsOf)];
}

function threadsOf(pid: string): readonly number[] {
  return attempt(() => readdirSync(`/proc/${pid}/task`).map(Number)) ?? [];
}

function attempt<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    // The change is not permitted, this is not Linux, or the thread has just ended.
    if (!(error instanceof Error && 'code' in error)) throw error;
    return undefined;
  }
}
