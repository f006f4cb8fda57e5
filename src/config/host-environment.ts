import { readFileSync } from 'node:fs';
import { homeDirectory } from '../base/user-entry.ts';

/** The properties of host and caller that determine defaults. */
export interface HostEnvironment {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The effective ids of the process. */
  readonly uid: number;
  readonly gid: number;
  /**
   * The home directory; undefined if HOME is not set and the uid has no passwd entry, as in containers that
   * run with an arbitrary uid.
   */
  readonly home: string | undefined;
  /** The directory against which relative names are resolved. */
  readonly workingDirectory: string;
  /** Whether a person reads the log while it is written. */
  readonly logsToTerminal: boolean;
  /** Returns the text of a file, read with the caller's rights; undefined if the file cannot be read. */
  readText(path: string): string | undefined;
}

export function environmentOfProcess(workingDirectory = process.cwd()): HostEnvironment {
  return {
    env: process.env,
    uid: process.geteuid?.() ?? 0,
    gid: process.getegid?.() ?? 0,
    home: homeDirectory(),
    workingDirectory,
    logsToTerminal: process.stderr.isTTY === true,
    readText,
  };
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error) return undefined;
    throw error;
  }
}
