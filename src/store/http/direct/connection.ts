import type { Socket } from 'node:net';
import { type AnswerHead, type HeadReader, MAX_HEAD_BYTES, mayBeginAnswer } from './answer-head.ts';
import { ChunkedBody } from './chunked-body.ts';
import { ConnectionFailure, malformed } from './connection-failure.ts';
import type { Carrier, DirectRequest } from './direct-request.ts';
import type { SocketOpener } from './open-socket.ts';

/**
 * Milliseconds for which an unused connection is kept if the server does not say how long it keeps the
 * connection. Servers usually keep it for 5 s.
 */
const IDLE_MS = 4000;

/**
 * How much sooner than the server the client closes an unused connection, in milliseconds, because answers
 * take time.
 */
const IDLE_MARGIN_MS = 1000;

/**
 * The longest time for which an unused connection is kept, in milliseconds, if the server says how long it
 * keeps it.
 */
const MAX_TOLD_IDLE_MS = 60_000;

/**
 * If a timer fires this many milliseconds late, the process or its host stood still, and the answer may have
 * arrived unread. The time limit then starts again, once.
 */
const LATE_MS = 250;

/** The maximum number of interim answers (status 1xx) before one answer. */
const MAX_INTERIM = 16;

const END_OF_HEAD = Buffer.from('\r\n\r\n');
const NO_BYTES = Buffer.alloc(0);

/** The owner of connections, which are kept for further requests. */
export interface ConnectionOwner {
  readonly heads: HeadReader;
  /** The connection is open, and can carry its first request. */
  onOpen(connection: Connection): void;
  /**
   * An answer has ended. The connection can carry another request after its owner has given it time to fail.
   */
  onAnswered(connection: Connection): void;
  /**
   * The connection can carry no request any more.
   *
   * @param refused why the connection could not be opened; undefined if it was open
   */
  onClosed(connection: Connection, refused: Error | undefined): void;
}

/** One connection. It carries one request at a time. */
export class Connection implements Carrier {
  readonly #owner: ConnectionOwner;
  readonly #socket: Socket;
  #state: 'connecting' | 'open' | 'closed' = 'connecting';
  #request: DirectRequest | undefined;
  /** The first part of a head whose end has not arrived. */
  #begun: Buffer = NO_BYTES;
  #interim = 0;
  /** The head of the current answer. Undefined: it has not arrived. */
  #head: AnswerHead | undefined;
  /** Bytes that are still to come of a body whose length is known. */
  #missing = 0;
  #chunks: ChunkedBody | undefined;
  /** Until when an unused connection may be used again, by performance.now(). */
  #usableUntil = Number.POSITIVE_INFINITY;
  /** Whether the server has sent more than its answer. */
  #isSpoilt = false;
  #timer: NodeJS.Timeout | undefined;
  #timerMs = 0;
  /** When the time limit passes, by performance.now(). */
  #due = 0;
  #wasLate = false;

  /** @param timeoutMs the time limit for connecting, including TLS */
  constructor(opener: SocketOpener, timeoutMs: number, owner: ConnectionOwner) {
    this.#owner = owner;
    this.#socket = opener.open(
      () => this.#onOpen(),
      (bytes) => this.#onRead(bytes),
    );
    this.#socket.on('error', (error) => this.close(error));
    // Ignores `end` before the connection is open, because `error` or `close` follows with the reason.
    this.#socket.on('end', () => this.#state === 'connecting' || this.#onEnd());
    this.#socket.on('close', () => this.#onEnd());
    this.#limit(timeoutMs);
  }

  /** Whether the connection is open, and the server is likely to keep it open. */
  get isUsable(): boolean {
    return this.#state === 'open' && performance.now() < this.#usableUntil;
  }

  carry(request: DirectRequest): void {
    this.#request = request;
    this.#head = undefined;
    this.#interim = 0;
    request.carrier = this;
    this.#socket.ref();
    this.#limit(request.sent.headersTimeout);
    this.#socket.write(request.head, 'latin1');
    if (request.paused) this.pause();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#wasLate = false;
    this.#restart();
    this.#socket.resume();
  }

  abandon(): void {
    this.#request = undefined;
    this.close(new ConnectionFailure('ECANCELED', 'the request was aborted'));
  }

  /** Closes the connection. A request in progress fails with `error`. */
  close(error: Error): void {
    if (this.#state === 'closed') return;
    const refused = this.#state === 'connecting' ? error : undefined;
    this.#state = 'closed';
    clearTimeout(this.#timer);
    this.#socket.destroy();
    const request = this.#request;
    this.#request = undefined;
    this.#owner.onClosed(this, refused);
    request?.fail(error);
  }

  #onOpen(): void {
    if (this.#state !== 'connecting') return;
    this.#state = 'open';
    this.#socket.unref();
    this.#owner.onOpen(this);
  }

  #onEnd(): void {
    // This end of the connection is also the end of a body without length.
    if (this.#head?.framing === 'until-closed') this.#complete();
    this.close(new ConnectionFailure('ECONNRESET', 'the server closed the connection'));
  }

  /** @returns whether to continue reading */
  #onRead(bytes: Buffer): boolean {
    try {
      for (let at = 0; at < bytes.length && this.#state === 'open'; ) {
        if (this.#request === undefined) throw malformed('the server sent more than its answer');
        at = this.#head === undefined ? this.#readHead(bytes, at) : this.#readBody(bytes, at);
        if (this.#isWhole()) {
          this.#isSpoilt = at < bytes.length;
          this.#complete();
          break;
        }
      }
    } catch (error) {
      this.close(error as Error);
    }
    return this.#request?.paused !== true;
  }

  /** @returns the offset in `bytes` where the head ends; the length of `bytes` if the head goes on */
  #readHead(bytes: Buffer, from: number): number {
    const begun = this.#begun;
    const read = begun.length === 0 ? bytes.subarray(from) : Buffer.concat([begun, bytes.subarray(from)]);
    const end = read.indexOf(END_OF_HEAD, Math.max(0, begun.length - END_OF_HEAD.length + 1));
    if (end > MAX_HEAD_BYTES) throw tooLong();
    if (end < 0) {
      checkBegun(read, begun.length);
      this.#begun = Buffer.from(read);
      return bytes.length;
    }
    this.#begun = NO_BYTES;
    const request = this.#request!;
    const head = this.#owner.heads.read(read.toString('latin1', 0, end), request.sent.method);
    if (head.status >= 200) this.#begin(head, request);
    else if (head.status === 101) throw malformed('the server changed to another protocol');
    else if (++this.#interim > MAX_INTERIM) throw malformed('the server sends only interim answers');
    return from + end + END_OF_HEAD.length - begun.length;
  }

  #begin(head: AnswerHead, request: DirectRequest): void {
    const { framing, headers } = head;
    this.#head = head;
    this.#missing = typeof framing === 'number' ? framing : 0;
    this.#chunks = framing === 'chunked' ? new ChunkedBody() : undefined;
    this.#limit(request.sent.bodyTimeout);
    request.handler.onResponseStart(request, head.status, headers);
  }

  /** @returns the offset in `bytes` where the body ends; the length of `bytes` if the body goes on */
  #readBody(bytes: Buffer, from: number): number {
    this.#wasLate = false;
    this.#restart();
    const { framing } = this.#head!;
    if (framing === 'chunked') {
      // All chunks are passed on as one piece, because a server may send a chunk for each byte.
      const pieces: Uint8Array[] = [];
      const end = this.#chunks!.read(bytes, from, pieces);
      if (pieces.length > 0) this.#request!.handler.onResponseData(this.#request!, Buffer.concat(pieces));
      return end;
    }
    const end = framing === 'until-closed' ? bytes.length : Math.min(bytes.length, from + this.#missing);
    this.#missing -= end - from;
    this.#request!.handler.onResponseData(this.#request!, Buffer.from(bytes.subarray(from, end)));
    return end;
  }

  #isWhole(): boolean {
    const framing = this.#head?.framing;
    if (framing === undefined || framing === 'until-closed') return false;
    return framing === 'chunked' ? this.#chunks!.ended : this.#missing === 0;
  }

  /** Frees the connection, and then tells the handler that the answer has ended. */
  #complete(): void {
    const request = this.#request;
    // The handler has aborted the request, which closed the connection.
    if (request === undefined) return;
    const { lasting, headers } = this.#head!;
    const idleMs = idleOf(headers['keep-alive']);
    this.#request = undefined;
    if (lasting && idleMs > 0 && !this.#isSpoilt) {
      this.#usableUntil = performance.now() + idleMs;
      if (request.paused) this.#socket.resume();
      this.#socket.unref();
      this.#owner.onAnswered(this);
    } else this.close(new ConnectionFailure('ECONNRESET', 'the answer was the last one'));
    request.end();
  }

  /**
   * Starts a time limit that replaces the current one. The last time limit keeps running while the connection
   * is unused.
   */
  #limit(ms: number): void {
    this.#wasLate = false;
    if (this.#timer === undefined || this.#timerMs !== ms) {
      clearTimeout(this.#timer);
      this.#timerMs = ms;
      this.#timer = setTimeout(() => this.#onLimit(), ms).unref();
    }
    this.#restart();
  }

  #restart(): void {
    this.#due = performance.now() + this.#timerMs;
    this.#timer?.refresh();
  }

  #onLimit(): void {
    if (this.#request === undefined && this.isUsable && this.#usableUntil < Number.POSITIVE_INFINITY) {
      this.#limit(Math.ceil(this.#usableUntil - performance.now()));
      return;
    }
    const isLate = performance.now() - this.#due > LATE_MS;
    if (this.#request?.paused === true || (isLate && !this.#wasLate)) {
      this.#wasLate = isLate;
      this.#restart();
      return;
    }
    const awaited =
      this.#state === 'connecting'
        ? 'connection'
        : this.#head === undefined
          ? 'answer'
          : 'more of the answer';
    this.close(new ConnectionFailure('ETIMEDOUT', `no ${awaited} within ${this.#timerMs / 1000} s`));
  }
}

/**
 * Refuses bytes that cannot become a head, without waiting for the rest of the head.
 *
 * @param begun the first part of a head
 * @param checked how many bytes of `begun` were checked before
 */
function checkBegun(begun: Buffer, checked: number): void {
  if (begun.length > MAX_HEAD_BYTES) throw tooLong();
  if (checked < 7 && !mayBeginAnswer(begun.toString('latin1', 0, 7))) {
    throw malformed('what the server sends is not HTTP/1.1');
  }
  if (/[^\r]\n/.test(begun.toString('latin1', Math.max(0, checked - 1)))) {
    throw malformed('the head of the answer has half of a line break');
  }
}

function tooLong(): ConnectionFailure {
  return malformed(`the head of the answer is longer than ${MAX_HEAD_BYTES} bytes`);
}

/** Returns how long an unused connection may be kept by the header Keep-Alive, in milliseconds. */
function idleOf(header: string | string[] | undefined): number {
  const told = typeof header === 'string' ? /(?:^|[,;\s])timeout=(\d{1,6})/i.exec(header)?.[1] : undefined;
  return told === undefined ? IDLE_MS : Math.min(Number(told) * 1000 - IDLE_MARGIN_MS, MAX_TOLD_IDLE_MS);
}
