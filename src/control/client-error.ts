import type { ProblemDetails } from './shapes/status.ts';

/**
 * A request to the daemon failed. `code` is the code in the problem details of the daemon's answer, or one of
 * these:
 * - `daemon-unavailable`: no process listens on the socket
 * - `daemon-silent`: no answer came in time
 * - `socket-denied`: this user may not connect to the socket
 * - `restart-unclear`: a restart was requested, and the daemon ended before it answered
 * - `unintelligible`: the answering process is not dagmount
 */
export class ClientError extends Error {
  override readonly name = 'ClientError';
  readonly code: string;
  readonly hint: string;
  /** The HTTP status of the answer; undefined if there was no answer. */
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
