import { rmSync } from 'node:fs';
import { replaceFile } from '../base/replace-file.ts';
import { isSystemError } from '../base/system-error.ts';
import { HostError } from '../host/host-error.ts';
import { readOwnFile } from '../host/own-file.ts';
import type { FollowedStandby } from '../source/standby/place-judge.ts';

const MOST_BYTES = 4096;

/**
 * Records in a file that the shown tree came from a standby source, for the next server, which starts at the
 * first source. It does not fsync, and ignores failures: without the file, the next server follows the first
 * source as it is.
 */
export function keepFollowedStandby(file: string): FollowedStandby {
  return {
    recall: () => {
      try {
        return readOwnFile(file, MOST_BYTES).length > 0;
      } catch (error) {
        if (error instanceof HostError) return false;
        throw error;
      }
    },
    keep: (source) => {
      try {
        if (source === undefined) rmSync(file, { force: true });
        else replaceFile(file, `${source}\n`);
      } catch (error) {
        if (!isSystemError(error)) throw error;
      }
    },
  };
}
