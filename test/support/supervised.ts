import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from './repository.ts';

/** The supervisor of this repository's build. */
export const supervisor = join(repository, 'build/Release/dagmount-supervisor');

export const supervisorMissing = existsSync(supervisor) ? false : 'the supervisor is not compiled';

/** The server that a supervisor runs now: its youngest child that is alive. */
export function serverOf(supervisorPid: number): number | undefined {
  const children = attempt(`/proc/${supervisorPid}/task/${supervisorPid}/children`).trim().split(/\s+/);
  return children
    .map(Number)
    .findLast((pid) => pid > 0 && /^State:\s+[^ZX]/m.test(attempt(`/proc/${pid}/status`)));
}

function attempt(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    if (error instanceof Error && 'code' in error) return '';
    throw error;
  }
}
