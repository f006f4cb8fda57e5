import type { ProblemDetails } from './shapes.ts';

/**
 * Asking the daemon came to nothing. `code` is the one of its problem details, or
 * - `daemon-unavailable`: nobody listens at the socket
 * - `daemon-silent`: no answer in time
 * - `socket-denied`: this user may not speak to it
 * - `restart-unclear`: it was asked for another server, and ended before it answered
 * - `unintelligible`: what answers is no dagmount
 */
export class ClientError extends Error {
  override readonly name = 'ClientError';
  readonly code: string;
  readonly hint: string;
  /** Of the answer; undefined where there was none. */
  readonly status: number | undefined;
  readonly problem: ProblemDetails | undefined;

  constructor(
    code: string,
    message: string,
    hint: string,
    extra: { readonly status?: number; readonly problem?: ProblemDetails; readonly cause?: unknown } = {},
  ) {
    super(message, extra.cause === undefined ? undefined : { cause: extra.cause });
    this.code = code;
    this.hint = hint;
    this.status = extra.status;
    this.problem = extra.problem;
  }
}

export function unintelligible(socket: string, cause?: unknown): ClientError {
  return new ClientError(
    'unintelligible',
    `What listens at ${socket} does not answer as a dagmount does.`,
    'Check the path; dagmount list shows the sockets of this host.',
    { cause },
  );
}
