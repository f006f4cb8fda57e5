import { closeSync, writeSync } from 'node:fs';
import type { Progress } from '../server/server-port.ts';
import type { Failure } from './failure.ts';

/** Messages from a daemon to the command that started it: one JSON document per line, through a pipe. */
export type DaemonMessage =
  | { readonly kind: 'progress'; readonly progress: Progress }
  | { readonly kind: 'ready'; readonly pid?: number | undefined }
  | { readonly kind: 'failed'; readonly failure: Failure };

const FD_VARIABLE = 'DAGMOUNT_READY_FD';
const LOG_VARIABLE = 'DAGMOUNT_LOG_FILE';

/** The pipe's descriptor number in the daemon. */
export const CHANNEL_FD = 3;

/** The environment variables that make the next process of this program a daemon. */
export function daemonEnvironment(logFile: string): Readonly<Record<string, string>> {
  return { [FD_VARIABLE]: String(CHANNEL_FD), [LOG_VARIABLE]: logFile };
}

/** The daemon's end of the pipe. */
export class DaemonChannel {
  /** The path of the daemon's log. */
  readonly logFile: string;
  /**
   * The descriptor of the pipe; undefined if no command waits for this process, as in a successor of the
   * first server.
   */
  #fd: number | undefined;

  constructor(fd: number | undefined, logFile: string) {
    this.#fd = fd;
    this.logFile = logFile;
  }

  /**
   * Creates the channel from the environment variables. Returns undefined in a process that is not a daemon.
   * Removes the variables from `env`, so that child processes are not daemons.
   */
  static take(env: NodeJS.ProcessEnv): DaemonChannel | undefined {
    const fd = Number(env[FD_VARIABLE] ?? Number.NaN);
    const logFile = env[LOG_VARIABLE] ?? '';
    delete env[FD_VARIABLE];
    delete env[LOG_VARIABLE];
    return logFile === '' ? undefined : new DaemonChannel(Number.isInteger(fd) ? fd : undefined, logFile);
  }

  /** The environment variables of a daemon that no command waits for. */
  get environment(): Readonly<Record<string, string>> {
    return { [LOG_VARIABLE]: this.logFile };
  }

  /** Sends a message. Closes the pipe after the last message, which is `ready` or `failed`. */
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
