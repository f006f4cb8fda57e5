/**
 * - ECONNRESET: the server closed the connection before the end of its answer
 * - ETIMEDOUT: one of the time limits passed
 * - EBADMSG: what the server sent is not HTTP/1.1
 * - ECANCELED: the client was closed
 * - ERR_INVALID_CHAR: the request has a character that no request can carry; node:http uses this code too
 */
export type FailureCode = 'ECONNRESET' | 'ETIMEDOUT' | 'EBADMSG' | 'ECANCELED' | 'ERR_INVALID_CHAR';

/**
 * A failure that this client found. Failures that the system or TLS reports are passed on as Node.js gives
 * them.
 */
export class ConnectionFailure extends Error {
  override readonly name = 'ConnectionFailure';
  readonly code: FailureCode;

  constructor(code: FailureCode, message: string) {
    super(message);
    this.code = code;
  }
}

export function malformed(what: string): ConnectionFailure {
  return new ConnectionFailure('EBADMSG', what);
}
