import type { IncomingHttpHeaders } from 'node:http';
import type { Stop } from '../stop.ts';
import type {
  AnswerController,
  AnswerHandler,
  RequestDispatcher,
  SentRequest,
} from './request-dispatcher.ts';

/** Up to this many bytes are read ahead; then the socket is paused. */
const READ_AHEAD_BYTES = 256 * 1024;

/** The head of an answer, and its body as it comes. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: AnswerBody;
}

/**
 * Sends one request and resolves with the head of its answer. Rejects with the dispatcher's error. If the
 * signal aborts, rejects with the signal's reason, immediately and also while connecting.
 */
export function exchange(dispatcher: RequestDispatcher, request: SentRequest, stop: Stop): Promise<Answer> {
  return new Promise((resolve, reject) => {
    if (stop.aborted) {
      reject(stop.reason);
      return;
    }
    const body = new AnswerBody(stop);
    body.onFailure = reject;
    const handler: AnswerHandler = {
      onRequestStart: (controller) => body.attach(controller),
      onResponseStart: (_controller, status, headers) => {
        if (status < 200) return;
        body.onFailure = undefined;
        resolve({ status, headers, body });
      },
      onResponseData: (_controller, chunk) => body.push(chunk),
      onResponseEnd: () => body.end(),
      onResponseError: (_controller, error) => body.fail(error),
    };
    try {
      dispatcher.dispatch(request, handler);
    } catch (error) {
      body.fail(error);
    }
  });
}

/** The body of one answer, readable once. Leaving it early closes the connection. */
export class AnswerBody implements AsyncIterable<Uint8Array> {
  /** Called if the request fails before the head of its answer has arrived. */
  onFailure: ((error: unknown) => void) | undefined;

  readonly #stop: Stop;
  readonly #onAbort: () => void;
  readonly #chunks: Uint8Array[] = [];
  #waitingBytes = 0;
  #collecting = false;
  #controller: AnswerController | undefined;
  #state: 'open' | 'ended' | 'failed' = 'open';
  #error: unknown;
  #wake: (() => void) | undefined;

  constructor(stop: Stop) {
    this.#stop = stop;
    this.#onAbort = () => this.cancel(stop.reason);
    stop.addEventListener('abort', this.#onAbort);
  }

  /**
   * Stops the answer, so that further reads fail with `reason`. Has no effect after the end of the answer.
   */
  cancel(reason: unknown): void {
    if (this.#state !== 'open') return;
    this.fail(reason);
    this.#controller?.abort(reason instanceof Error ? reason : new Error('cancelled', { cause: reason }));
  }

  /**
   * Returns the whole body if it has at most `limit` bytes. Cancels a longer body, and returns undefined.
   * Does not use the iterator, which would double the cost of a small answer.
   */
  bytes(limit: number): Promise<Uint8Array | undefined> {
    this.#collecting = true;
    this.#controller?.resume();
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (this.#state === 'failed') reject(this.#error);
        else if (this.#waitingBytes > limit) {
          resolve(undefined);
          this.cancel(new Error('the answer is too long'));
        } else if (this.#state === 'open') this.#wake = look;
        else {
          const [only] = this.#chunks;
          resolve(only !== undefined && this.#chunks.length === 1 ? only : Buffer.concat(this.#chunks));
        }
      };
      look();
    });
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for (;;) {
        const chunk = this.#chunks.shift();
        if (chunk !== undefined) {
          this.#waitingBytes -= chunk.length;
          if (this.#controller?.paused && this.#waitingBytes < READ_AHEAD_BYTES) this.#controller.resume();
          yield chunk;
        } else if (this.#state === 'failed') throw this.#error;
        else if (this.#state === 'ended') return;
        else {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
        }
      }
    } finally {
      this.cancel(new Error('the answer was left early'));
    }
  }

  attach(controller: AnswerController): void {
    this.#controller = controller;
    if (this.#state !== 'open') controller.abort(new Error('given up before it was sent'));
  }

  push(chunk: Uint8Array): void {
    if (this.#state !== 'open') return;
    this.#chunks.push(chunk);
    this.#waitingBytes += chunk.length;
    if (this.#waitingBytes >= READ_AHEAD_BYTES && !this.#collecting) this.#controller?.pause();
    this.#notify();
  }

  end(): void {
    this.#finish('ended');
  }

  fail(error: unknown): void {
    if (this.#state !== 'open') return;
    this.#error = error;
    // Drops the bytes that arrived but were not read.
    this.#chunks.length = 0;
    this.#finish('failed');
    this.onFailure?.(error);
    this.onFailure = undefined;
  }

  #finish(state: 'ended' | 'failed'): void {
    if (this.#state !== 'open') return;
    this.#state = state;
    this.#stop.removeEventListener('abort', this.#onAbort);
    this.#notify();
  }

  #notify(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
