import type { Progress } from '../server/server-port.ts';
import { progressText } from './progress-line.ts';
import type { Shell } from './shell.ts';

/** Users assume that a command hangs if it prints nothing for 15 s. */
const EVERY_MS = 10_000;

/**
 * Prints the progress of a daemon that starts, or what the daemon waits for, every ten seconds. Prints only
 * while no progress line is shown: without a terminal, or before there is any progress.
 */
export class SignsOfLife {
  readonly #shell: Pick<Shell, 'err' | 'now'>;
  readonly #beganAt: number;
  readonly #timer: NodeJS.Timeout;
  #progress: Progress | undefined;

  constructor(shell: Pick<Shell, 'err' | 'now'>, everyMs = EVERY_MS) {
    this.#shell = shell;
    this.#beganAt = shell.now();
    this.#timer = setInterval(() => this.#write(), everyMs);
  }

  show(progress: Progress): void {
    this.#progress = progress;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #write(): void {
    const { err, now } = this.#shell;
    if (err.isTerminal && this.#progress !== undefined) return;
    const seconds = Math.round((now() - this.#beganAt) / 1000);
    const text =
      this.#progress === undefined
        ? 'dagmount: looking for the way to the store'
        : progressText(this.#progress);
    err.write(`${text} (${seconds} s so far)\n`);
  }
}
