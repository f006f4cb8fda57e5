import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from './repository.ts';

/** The supervisor of this repository's build. */
export const supervisor = join(repository, 'build/Release/dagmount-supervisor');

export const supervisorMissing = existsSync(supervisor) ? false : 'the supervisor is not compiled';

/** The youngest live child of a supervisor that is no standby; without a supervisor, the process itself. */
export function serverOf(supervisorPid: number): number | undefined {
  if (attempt(`/proc/${supervisorPid}/comm`).trim() !== 'dagmount-superv') return supervisorPid;
  const children = attempt(`/proc/${supervisorPid}/task/${supervisorPid}/children`).trim().split(/\s+/);
  return children
    .map(Number)
    .filter((pid) => pid > 0 && /^State:\s+[^ZX]/m.test(attempt(`/proc/${pid}/status`)))
    .findLast((pid) => !standsBy(pid) && !isWithinExec(pid));
}

/** Whether the process is a standby, or is about to become one. */
export function standsBy(pid: number): boolean {
  return /^(\S*\/)?dagmount-s/.test(argumentsOf(pid)[0] ?? '');
}

/** Within execve(2), a process has no arguments for a moment. */
function isWithinExec(pid: number): boolean {
  return argumentsOf(pid)[0] === '';
}

/** Processes by the first 15 bytes of their program's name. */
export function processesNamed(name: string): readonly number[] {
  const pids = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry));
  return pids.map(Number).filter((pid) => attempt(`/proc/${pid}/comm`).trim() === name);
}

export function argumentsOf(pid: number): readonly string[] {
  return attempt(`/proc/${pid}/cmdline`).split('\0');
}

function attempt(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    if (error instanceof Error && 'code' in error) return '';
    throw error;
  }
}
