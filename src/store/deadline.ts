/** Aborts its signal when the time is over, or when the caller's signal is aborted. */
export class Deadline {
  readonly #parent: AbortSignal;
  readonly #controller = new AbortController();
  readonly #onAbort: () => void;
  readonly #timer: NodeJS.Timeout;
  #passed = false;

  /** @param milliseconds from now */
  constructor(parent: AbortSignal, milliseconds: number) {
    this.#parent = parent;
    this.#onAbort = () => this.#controller.abort(parent.reason);
    this.#timer = setTimeout(() => {
      this.#passed = true;
      this.#controller.abort(new Error('the deadline has passed'));
    }, milliseconds);
    if (parent.aborted) this.#onAbort();
    else parent.addEventListener('abort', this.#onAbort, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get passed(): boolean {
    return this.#passed;
  }

  /** Stops the clock; the caller's signal is still passed on. */
  stop(): void {
    clearTimeout(this.#timer);
  }

  dispose(): void {
    this.stop();
    this.#parent.removeEventListener('abort', this.#onAbort);
  }
}
