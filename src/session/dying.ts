import { readFile } from 'node:fs/promises';
import { isSystemError } from '../base/system-error.ts';
import { answersTo } from '../host/process.ts';

const SIGKILL_MASK = 1n << 8n;

/** The queries about a thread, replaceable in tests. */
export interface Threads {
  readonly status: (pid: number) => Promise<string>;
  /**
   * Returns the result of signal 0, which also finds threads that /proc hides from this user (proc(5),
   * hidepid).
   */
  readonly answersTo: (pid: number) => 'ours' | 'of-others' | 'gone';
}

const threadsHere: Threads = { status: (pid) => readFile(`/proc/${pid}/status`, 'latin1'), answersTo };

/**
 * Returns whether a thread has ended, or has a SIGKILL pending (proc(5): SigPnd and ShdPnd are bit masks in
 * hex). A thread about which nothing can be read counts as alive, because it may wait for its answer.
 */
export async function isDying(pid: number, threads = threadsHere): Promise<boolean> {
  if (pid === 0) return false;
  let status: string;
  try {
    status = await threads.status(pid);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return error.code === 'ESRCH' || (error.code === 'ENOENT' && threads.answersTo(pid) === 'gone');
  }
  if (/^State:\s*[ZX]/m.test(status)) return true;
  const masks = status.matchAll(/^(?:SigPnd|ShdPnd):\s*([0-9a-f]+)$/gm);
  return [...masks].some(([, mask]) => (BigInt(`0x${mask}`) & SIGKILL_MASK) !== 0n);
}
