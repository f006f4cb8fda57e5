import { setMaxListeners } from 'node:events';
import { type Stop, Stopper } from './stop.ts';

/**
 * A stop signal for one request: aborts when the request's deadline has passed, or when the caller's signal
 * aborts.
 */
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
    // Allows any number of listeners, because thousands of queued requests may listen to one signal.
    if (parent instanceof AbortSignal) setMaxListeners(0, parent);
    parent.addEventListener('abort', this.#onAbort);
  }

  /** Starts or restarts the timer. */
  start(milliseconds: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#passed ||= !this.aborted;
      this.abort(new Error('the deadline has passed'));
    }, milliseconds);
    // The timer of an unread body must not keep the process alive.
    this.#timer.unref();
  }

  /** Stops the timer; the caller's signal still aborts. */
  stop(): void {
    clearTimeout(this.#timer);
  }

  override abort(reason: unknown): void {
    this.#letGo();
    super.abort(reason);
  }

  /** Removes the listener on the caller's signal, and all listeners on this deadline. */
  dispose(): void {
    this.#letGo();
    this.forgetListeners();
  }

  /** Whether the timer ended the request, and not the caller's signal. */
  get passed(): boolean {
    return this.#passed;
  }

  #letGo(): void {
    this.stop();
    this.#parent.removeEventListener('abort', this.#onAbort);
  }
}
