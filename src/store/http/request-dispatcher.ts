import type { IncomingHttpHeaders } from 'node:http';

export interface SentRequest {
  readonly method: 'GET' | 'HEAD';
  readonly origin: string;
  /** Encoded, query included. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /**
   * Milliseconds to the head of the answer. Set on each request, because undici's proxy agents do not pass on
   * a setting of their own.
   */
  readonly headersTimeout: number;
  /** Milliseconds between two pieces of the answer. */
  readonly bodyTimeout: number;
}

/**
 * Sends requests over connections that it keeps. This is the part of undici's Dispatcher that requests to the
 * store need.
 */
export interface RequestDispatcher {
  /** May call the handler before it returns. Throws for a request that cannot be sent. */
  dispatch(request: SentRequest, handler: AnswerHandler): unknown;
  /** Aborts all requests in progress. */
  destroy(): Promise<void>;
}

/** Takes the parts of one answer as they come. */
export interface AnswerHandler {
  onRequestStart(controller: AnswerController): void;
  /**
   * Called with the head of the answer, and sometimes also with interim heads (status below 200) before it.
   */
  onResponseStart(controller: AnswerController, status: number, headers: IncomingHttpHeaders): void;
  /** `chunk` belongs to the handler, because the dispatcher does not write to it again. */
  onResponseData(controller: AnswerController, chunk: Uint8Array): void;
  onResponseEnd(): void;
  onResponseError(controller: AnswerController, error: Error): void;
}

export interface AnswerController {
  readonly paused: boolean;
  /**
   * Ends the request, and its connection if the request was sent. Has no effect after the end of the answer.
   */
  abort(reason: Error): void;
  pause(): void;
  resume(): void;
}
