import { readFileSync } from 'node:fs';

/** The bit of CAP_SYS_ADMIN. */
const SYS_ADMIN = 1n << 21n;

/** Whether this process has the capability (CapEff), or could get it from a set-uid program (CapBnd). */
export function maySysAdmin(set: 'CapEff' | 'CapBnd'): boolean {
  const status = readFileSync('/proc/self/status', 'latin1');
  const mask = new RegExp(`^${set}:\\s*([0-9a-f]+)$`, 'm').exec(status)?.[1] ?? '0';
  return (BigInt(`0x${mask}`) & SYS_ADMIN) !== 0n;
}

function reasonAgainstMountCalls(): string | false {
  if (process.getuid?.() !== 0) return 'mount(2) needs root';
  return maySysAdmin('CapEff') ? false : 'root may not mount here (no CAP_SYS_ADMIN)';
}

/** Why this process cannot call mount(2) by itself, for a test's `skip`; false where it can: not so in most containers. */
export const mountCallImpossible: string | false = reasonAgainstMountCalls();
