import { homedir } from 'node:os';

/** What of the host and the caller enters the defaults. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Effective ids. */
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly workingDirectory: string;
  /** Whether people read the log as it is written. */
  readonly logsToTerminal: boolean;
}

export function surroundingsOfProcess(): Surroundings {
  return {
    env: process.env,
    uid: process.geteuid?.() ?? 0,
    gid: process.getegid?.() ?? 0,
    home: homedir(),
    workingDirectory: process.cwd(),
    logsToTerminal: process.stderr.isTTY === true,
  };
}
