import { rmSync } from 'node:fs';
import { replaceFile } from '../base/replace-file.ts';
import { isSystemError } from '../base/system-error.ts';
import { HostError } from '../host/host-error.ts';
import { readOwnFile } from '../host/own-file.ts';
import type { FollowedStandby } from '../source/standby/place-judge.ts';

const MOST_BYTES = 4096;

/**
 * Keeps in a file that the shown tree is of a standby, for the next server, which begins at the first source. Without
 * fsync, and silently on failure: without the file the first source is followed as it is.
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
