import { setMaxListeners } from 'node:events';
import type { Stop } from './stop.ts';

/**
 * The end of one request: its time is over, or the caller's signal is aborted.
 */
export class Deadline implements Stop {
  readonly #parent: Stop;
  readonly #onAbort: () => void;
  readonly #listeners = new Set<() => void>();
  #timer: NodeJS.Timeout | undefined;
  #end: { readonly reason: unknown; readonly passed: boolean } | undefined;

  constructor(parent: Stop) {
    this.#parent = parent;
    this.#onAbort = () => this.#finish(parent.reason, false);
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
    this.#timer = setTimeout(() => this.#finish(new Error('the deadline has passed'), true), milliseconds);
  }

  /** Stops the clock; the caller's signal still counts. */
  stop(): void {
    clearTimeout(this.#timer);
  }

  /** Lets go of the caller's signal, too. */
  dispose(): void {
    this.stop();
    this.#parent.removeEventListener('abort', this.#onAbort);
    this.#listeners.clear();
  }

  get aborted(): boolean {
    return this.#end !== undefined;
  }

  get reason(): unknown {
    return this.#end?.reason;
  }

  throwIfAborted(): void {
    if (this.#end !== undefined) throw this.#end.reason;
  }

  /** Whether it was the clock that ended it. */
  get passed(): boolean {
    return this.#end?.passed ?? false;
  }

  addEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners.add(listener);
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners.delete(listener);
  }

  #finish(reason: unknown, passed: boolean): void {
    if (this.#end !== undefined) return;
    this.#end = { reason, passed };
    this.stop();
    this.#parent.removeEventListener('abort', this.#onAbort);
    for (const listener of [...this.#listeners]) listener();
    this.#listeners.clear();
  }
}
