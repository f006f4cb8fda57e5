import { closeSync, writeSync } from 'node:fs';
import type { Progress } from '../server/server-port.ts';
import type { Failure } from './failure.ts';

/** What a daemon tells the command that started it: one JSON document a line, through a pipe. */
export type DaemonMessage =
  | { readonly kind: 'progress'; readonly progress: Progress }
  | { readonly kind: 'ready'; readonly pid?: number | undefined }
  | { readonly kind: 'failed'; readonly failure: Failure };

const FD_VARIABLE = 'DAGMOUNT_READY_FD';
const LOG_VARIABLE = 'DAGMOUNT_LOG_FILE';

/** The number that the pipe has in the daemon. */
export const CHANNEL_FD = 3;

/** What makes the next process of this program a daemon. */
export function daemonEnvironment(logFile: string): Readonly<Record<string, string>> {
  return { [FD_VARIABLE]: String(CHANNEL_FD), [LOG_VARIABLE]: logFile };
}

/** The daemon's end of the pipe. */
export class DaemonChannel {
  /** Where its log goes. */
  readonly logFile: string;
  /** Undefined if no command waits: for a successor of the server that was waited for. */
  #fd: number | undefined;

  constructor(fd: number | undefined, logFile: string) {
    this.#fd = fd;
    this.logFile = logFile;
  }

  /** Undefined in a process that is not a daemon. Removes the variables, so that child processes are not daemons. */
  static take(env: NodeJS.ProcessEnv): DaemonChannel | undefined {
    const fd = Number(env[FD_VARIABLE] ?? Number.NaN);
    const logFile = env[LOG_VARIABLE] ?? '';
    delete env[FD_VARIABLE];
    delete env[LOG_VARIABLE];
    return logFile === '' ? undefined : new DaemonChannel(Number.isInteger(fd) ? fd : undefined, logFile);
  }

  /** What makes a daemon of a process that nobody waits for. */
  get environment(): Readonly<Record<string, string>> {
    return { [LOG_VARIABLE]: this.logFile };
  }

  /** The last message, ready or failed, closes the pipe. */
  tell(message: DaemonMessage): void {
    if (this.#fd === undefined) return;
    try {
      writeSync(this.#fd, `${JSON.stringify(message)}\n`);
    } catch (error) {
      // The command that started this daemon has ended; the mount continues without it.
      if (!(error instanceof Error && 'code' in error)) throw error;
      this.#close();
    }
    if (message.kind !== 'progress') this.#close();
  }

  #close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }
}
