import { readFileSync } from 'node:fs';

const SYS_ADMIN = 1n << 21n;
const DAC_READ_SEARCH = 1n << 2n;

/** Whether this process has the capability (CapEff), or could get it from a set-uid program (CapBnd). */
export function maySysAdmin(set: 'CapEff' | 'CapBnd'): boolean {
  return hasCapability(set, SYS_ADMIN);
}

function hasCapability(set: 'CapEff' | 'CapBnd', capability: bigint): boolean {
  const status = readFileSync('/proc/self/status', 'latin1');
  const mask = new RegExp(`^${set}:\\s*([0-9a-f]+)$`, 'm').exec(status)?.[1] ?? '0';
  return (BigInt(`0x${mask}`) & capability) !== 0n;
}

function reasonAgainstMountCalls(): string | false {
  if (process.getuid?.() !== 0) return 'mount(2) needs root';
  return maySysAdmin('CapEff') ? false : 'root may not mount here (no CAP_SYS_ADMIN)';
}

/** The reason, for a test's `skip`, why this process cannot call mount(2), as in most containers; false if it can. */
export const mountCallImpossible: string | false = reasonAgainstMountCalls();

/** The reason, for a test's `skip`, why this process cannot open files by handle: Docker takes the right from root. */
export const handlesImpossible: string | false = hasCapability('CapEff', DAC_READ_SEARCH)
  ? false
  : 'open_by_handle_at(2) needs CAP_DAC_READ_SEARCH';
