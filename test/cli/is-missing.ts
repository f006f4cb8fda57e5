import { spawnSync } from 'node:child_process';

/** Why a test that needs this program is skipped; false where the program is installed. */
export function isMissing(program: string): string | false {
  const { error } = spawnSync(program, ['--version']);
  return error === undefined ? false : `there is no ${program} here (Debian: apt-get install ${program})`;
}
