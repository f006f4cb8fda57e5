import type { IncomingHttpHeaders } from 'node:http';

export interface SentRequest {
  readonly method: 'GET' | 'HEAD';
  readonly origin: string;
  /** Encoded, query included. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /**
   * Milliseconds to the head of the answer. Set on each request: undici's proxy agents do not pass on their own
   * setting.
   */
  readonly headersTimeout: number;
  /** Milliseconds between two pieces of the answer. */
  readonly bodyTimeout: number;
}

/** Sends requests over connections that it keeps. The part of undici's Dispatcher that requests to the store need. */
export interface RequestDispatcher {
  /** May call the handler before it returns. Throws for a request that cannot be sent. */
  dispatch(request: SentRequest, handler: AnswerHandler): unknown;
  /** Aborts all requests in progress. */
  destroy(): Promise<void>;
}

/** Takes the parts of one answer as they come. */
export interface AnswerHandler {
  onRequestStart(controller: AnswerController): void;
  /** May be called for heads with a status below 200 too, which are not the answer yet. */
  onResponseStart(controller: AnswerController, status: number, headers: IncomingHttpHeaders): void;
  /** `chunk` belongs to the handler: it is not written to again. */
  onResponseData(controller: AnswerController, chunk: Uint8Array): void;
  onResponseEnd(): void;
  onResponseError(controller: AnswerController, error: Error): void;
}

export interface AnswerController {
  readonly paused: boolean;
  /** Ends the request, and its connection if it was sent. Harmless after the end. */
  abort(reason: Error): void;
  pause(): void;
  resume(): void;
}
