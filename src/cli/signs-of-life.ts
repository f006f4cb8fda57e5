import type { Progress } from '../server/server-port.ts';
import { progressText } from './progress-line.ts';
import type { Shell } from './shell.ts';

/** Short of the 15 s after which people take a command that says nothing for one that hangs. */
const EVERY_MS = 10_000;

/**
 * While a daemon starts, says every ten seconds how far it is, or what it waits for: where there is no terminal to draw
 * a line on, or nothing to be drawn yet.
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
