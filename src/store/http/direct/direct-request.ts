import type { AnswerController, AnswerHandler, SentRequest } from '../request-dispatcher.ts';
import { ConnectionFailure } from './connection-failure.ts';

/** The connection that carries a request. */
export interface Carrier {
  pause(): void;
  resume(): void;
  /** Closes the connection, because the answer is no longer wanted. */
  abandon(): void;
}

/** One request from its dispatch to the end of its answer. */
export class DirectRequest implements AnswerController {
  readonly sent: SentRequest;
  readonly handler: AnswerHandler;
  /** The request as it is sent. It has only characters below 256. */
  readonly head: string;
  carrier: Carrier | undefined;
  paused = false;
  #over = false;

  /** @throws {ConnectionFailure} ERR_INVALID_CHAR */
  constructor(sent: SentRequest, handler: AnswerHandler) {
    this.sent = sent;
    this.handler = handler;
    this.head = headOf(sent);
  }

  /** Whether the request was answered, failed or was aborted. */
  get over(): boolean {
    return this.#over;
  }

  /** Ends the request without calling the handler. */
  abort(): void {
    if (this.#over) return;
    this.#over = true;
    this.carrier?.abandon();
  }

  pause(): void {
    this.paused = true;
    this.carrier?.pause();
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    this.carrier?.resume();
  }

  end(): void {
    if (this.#over) return;
    this.#over = true;
    this.carrier = undefined;
    this.handler.onResponseEnd();
  }

  fail(error: Error): void {
    if (this.#over) return;
    this.#over = true;
    this.carrier = undefined;
    this.handler.onResponseError(this, error);
  }
}

/**
 * What a header's value must not have (RFC 9110, section 5.5): a line break in it would add a header, or a
 * request.
 */
const INVALID_IN_A_VALUE = /[^\t\x20-\x7e\x80-\xff]/;
const INVALID_IN_A_PATH = /[^\x21-\x7e]/;

function headOf({ method, path, headers }: SentRequest): string {
  if (INVALID_IN_A_PATH.test(path)) throw invalid('path');
  let head = `${method} ${path} HTTP/1.1\r\n`;
  for (const name in headers) {
    const value = headers[name]!;
    if (INVALID_IN_A_VALUE.test(value)) throw invalid(`header ${name}`);
    head += `${name}: ${value}\r\n`;
  }
  return `${head}connection: keep-alive\r\n\r\n`;
}

function invalid(part: string): ConnectionFailure {
  return new ConnectionFailure('ERR_INVALID_CHAR', `the request's ${part} has an invalid character`);
}
