import { setMaxListeners } from 'node:events';
import { type Stop, Stopper } from './stop.ts';

/** The end of one request: its time is over, or the caller's signal is aborted. */
export class Deadline extends Stopper {
  readonly #parent: Stop;
  readonly #onAbort = (): void => this.abort(this.#parent.reason);
  #timer: NodeJS.Timeout | undefined;
  #passed = false;

  constructor(parent: Stop) {
    super();
    this.#parent = parent;
    if (parent.aborted) {
      this.#onAbort();
      return;
    }
    // One signal may stop thousands of requests that wait for their place.
    if (parent instanceof AbortSignal) setMaxListeners(0, parent);
    parent.addEventListener('abort', this.#onAbort);
  }

  /** Starts the clock, or starts it anew. */
  start(milliseconds: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#passed ||= !this.aborted;
      this.abort(new Error('the deadline has passed'));
    }, milliseconds);
    // A body that nobody reads must not keep a process that is done.
    this.#timer.unref();
  }

  /** Stops the clock; the caller's signal still counts. */
  stop(): void {
    clearTimeout(this.#timer);
  }

  override abort(reason: unknown): void {
    this.#letGo();
    super.abort(reason);
  }

  /** Lets go of the caller's signal, and of all who listen. */
  dispose(): void {
    this.#letGo();
    this.forgetListeners();
  }

  /** Whether it was the clock that ended it. */
  get passed(): boolean {
    return this.#passed;
  }

  #letGo(): void {
    this.stop();
    this.#parent.removeEventListener('abort', this.#onAbort);
  }
}
