import { readFile } from 'node:fs/promises';

const SIGKILL_MASK = 1n << 8n;

/** Whether a thread has a SIGKILL pending (proc(5): SigPnd and ShdPnd are bit masks in hex). */
export async function isDying(pid: number): Promise<boolean> {
  if (pid === 0) return false;
  const status = await readFile(`/proc/${pid}/status`, 'latin1').catch(() => '');
  const masks = status.matchAll(/^(?:SigPnd|ShdPnd):\s*([0-9a-f]+)$/gm);
  return status === '' || [...masks].some(([, mask]) => (BigInt(`0x${mask}`) & SIGKILL_MASK) !== 0n);
}
