import type { ProblemDetails } from './shapes/status.ts';

/** Every error code that an answer may have, with its status and its title. */
export const refusals = {
  'malformed-request': [400, 'The request is malformed'],
  'bad-parameter': [400, 'A parameter is invalid'],
  'bad-body': [400, 'The body is invalid'],
  unproven: [401, 'The request does not prove that it knows the secret'],
  'not-found': [404, 'There is nothing at this address'],
  'no-version': [404, 'The version is not shown'],
  'never-seen': [404, 'The path is not in the tree'],
  excluded: [404, 'The path is excluded'],
  'left-out': [404, 'The key is left out of the tree'],
  'nothing-held': [404, 'Nothing is held'],
  'method-not-allowed': [405, 'The address does not support the method'],
  'request-timeout': [408, 'The request took too long to arrive'],
  held: [409, 'The listing is held'],
  'held-changed': [409, 'Something else is held by now'],
  'not-acceptable': [409, 'What is held cannot be accepted'],
  unsupervised: [409, 'The server has no supervisor'],
  replayed: [409, 'The request was accepted before'],
  'generation-gone': [410, 'The generation is no longer kept'],
  'body-too-large': [413, 'The body is too large'],
  'unsupported-media-type': [415, 'The body has an unsupported media type'],
  'expectation-failed': [417, 'The expectation cannot be met'],
  'too-many-requests': [429, 'Requests come too fast'],
  'headers-too-large': [431, 'The request head is too large'],
  internal: [500, 'A bug in dagmount'],
  'state-dir-unwritable': [503, 'The state directory cannot be written'],
  'source-unreachable': [503, 'The store cannot be reached'],
  'source-denied': [503, 'The store refused access'],
  'source-throttled': [503, 'The store throttles requests'],
  unsettled: [503, 'The store changes too fast'],
  'restart-failed': [503, 'The new server did not become ready'],
  'secret-unusable': [503, 'There is no secret to check requests with'],
  'no-tree': [503, 'There is no tree yet'],
  'too-many-listeners': [503, 'Too many clients listen to events'],
  stopping: [503, 'The daemon is ending'],
  'timed-out': [504, 'The time limit is over'],
} as const satisfies Readonly<Record<string, readonly [status: number, title: string]>>;

export type RefusalCode = keyof typeof refusals;

/** An answer that is an error: RFC 9457 problem details. */
export class RefusedRequest extends Error {
  override readonly name = 'RefusedRequest';
  readonly code: RefusalCode;
  readonly status: number;
  readonly details: ProblemDetails;
  readonly headers: Readonly<Record<string, string>>;

  /**
   * @param detail one sentence of what is wrong
   * @param hint one sentence of what to do
   */
  constructor(
    code: RefusalCode,
    detail: string,
    hint?: string,
    extra: {
      readonly members?: Readonly<Record<string, unknown>>;
      readonly headers?: Readonly<Record<string, string>>;
      /** The status of the answer, if it differs from the usual status of the code. */
      readonly status?: number;
    } = {},
  ) {
    super(detail);
    const [usual, title] = refusals[code];
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
