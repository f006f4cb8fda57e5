import type { ProblemDetails } from './shapes/status.ts';

/** Every code that an answer may carry, with its status and its title. */
export const problems = {
  'malformed-request': [400, 'The request cannot be understood'],
  'bad-parameter': [400, 'A parameter is not as it should be'],
  'bad-body': [400, 'The body is not as it should be'],
  'not-found': [404, 'There is nothing here'],
  'never-seen': [404, 'The path is not in the tree'],
  excluded: [404, 'The path is excluded'],
  'left-out': [404, 'The key is left out of the tree'],
  'nothing-held': [404, 'Nothing is held'],
  'method-not-allowed': [405, 'The method does not go with the address'],
  'request-timeout': [408, 'The request came too slowly'],
  held: [409, 'The listing is held'],
  'held-changed': [409, 'What is held is another'],
  'not-acceptable': [409, 'What is held cannot be accepted'],
  unsupervised: [409, 'Nothing looks after the server'],
  'generation-gone': [410, 'The generation is no longer kept'],
  'body-too-large': [413, 'The body is too large'],
  'unsupported-media-type': [415, 'The body is of another type'],
  'expectation-failed': [417, 'The expectation cannot be met'],
  'headers-too-large': [431, 'The head of the request is too large'],
  internal: [500, 'A fault of dagmount'],
  'state-dir-unwritable': [503, 'The state directory takes no writes'],
  'source-unreachable': [503, 'The store cannot be reached'],
  'source-denied': [503, 'The store refuses'],
  'source-throttled': [503, 'The store throttles'],
  unsettled: [503, 'The store changes too fast'],
  'restart-failed': [503, 'The new server could not be ready'],
  'no-tree': [503, 'There is no tree yet'],
  'too-many-listeners': [503, 'Too many listen'],
  stopping: [503, 'The daemon is about to end'],
  'timed-out': [504, 'It takes longer than was allowed'],
} as const satisfies Readonly<Record<string, readonly [status: number, title: string]>>;

export type ProblemCode = keyof typeof problems;

/** An answer that is an error: RFC 9457 problem details. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly code: ProblemCode;
  readonly status: number;
  readonly details: ProblemDetails;
  readonly headers: Readonly<Record<string, string>>;

  /**
   * @param detail one sentence of what is wrong
   * @param hint one sentence of what to do
   */
  constructor(
    code: ProblemCode,
    detail: string,
    hint?: string,
    extra: {
      readonly members?: Readonly<Record<string, unknown>>;
      readonly headers?: Readonly<Record<string, string>>;
      /** Where it is not the one that goes with the code. */
      readonly status?: number;
    } = {},
  ) {
    super(detail);
    const [usual, title] = problems[code];
    const status = extra.status ?? usual;
    this.code = code;
    this.status = status;
    this.headers = extra.headers ?? {};
    this.details = {
      type: `urn:dagmount:problem:${code}`,
      title,
      status,
      detail,
      code,
      ...(hint !== undefined && { hint }),
      ...extra.members,
    };
  }
}
