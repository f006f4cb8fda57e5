import type { IncomingHttpHeaders } from 'node:http';
import * as z from 'zod/mini';
import { RefusedRequest } from '../refused-request.ts';

/** A handler's result: JSON of a shape, text, text produced while it is sent, or only a status. */
export type Answer = {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
} & (
  | { readonly json: unknown }
  | { readonly text: string; readonly contentType: string }
  | { readonly pieces: Pieces; readonly contentType: string }
  | { readonly empty: true }
);

/** A text in pieces. Each piece is requested only after the previous piece was sent. */
export type Pieces = AsyncIterable<string> | Iterable<string>;

export interface Call<Query, Body> {
  /** The decoded values of the parts of the path in braces. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly query: Query;
  readonly body: Body;
  readonly headers: IncomingHttpHeaders;
  /** The id of this request in the log. */
  readonly id: string;
  /** Aborts when the client no longer waits for the answer. */
  readonly signal: AbortSignal;
}

/** One row of the table of routes: method, path, input and answers. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT';
  /** A part in braces matches any text without a slash; `{name...}` at the end matches the whole rest. */
  readonly path: string;
  /** What the route does, in one line. */
  readonly summary: string;
  readonly query: z.ZodMiniType;
  /** The shape of the request's body; undefined if the route takes no body. */
  readonly body: z.ZodMiniType | undefined;
  /**
   * The shapes of the answers that `handle` returns, by status; undefined for an answer that is not JSON. The
   * answers to refused and failed requests are not in this table.
   */
  readonly answers: Readonly<Record<number, z.ZodMiniType | undefined>>;
  /** The media types of answers that are not JSON. */
  readonly media: readonly string[];
  /** Whether the route changes something. Requests to such routes are logged. */
  readonly changes: boolean;
  readonly handle: (call: Call<unknown, unknown>) => Promise<Answer> | Answer;
}

export function route<Query extends z.ZodMiniType, Body extends z.ZodMiniType = z.ZodMiniUndefined>(row: {
  readonly method: Route['method'];
  readonly path: string;
  readonly summary: string;
  readonly query: Query;
  readonly body?: Body;
  readonly answers: Route['answers'];
  readonly media?: readonly string[];
  readonly handle: (call: Call<z.infer<Query>, z.infer<Body>>) => Promise<Answer> | Answer;
}): Route {
  const { method, path, summary, query, body, answers, media = [], handle } = row;
  return {
    method,
    path,
    summary,
    query,
    body,
    answers,
    media,
    changes: method !== 'GET',
    // The cast is safe, because the input was checked against the shapes from which these types are derived.
    handle: (call) => handle(call as Call<z.infer<Query>, z.infer<Body>>),
  };
}

/**
 * Checks a value against a shape, and returns the result. Throws RefusedRequest `bad-parameter` or
 * `bad-body`, which names the invalid field and what is wrong with it.
 */
export function checked<Shape extends z.ZodMiniType>(
  shape: Shape,
  given: unknown,
  what: 'bad-parameter' | 'bad-body',
  /** The name of the value, if the value itself is invalid. */
  called?: string,
): z.infer<Shape> {
  const result = z.safeParse(shape, given);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const field = issue?.path.join('.') || (called ?? '');
  const name = issue?.code === 'unrecognized_keys' ? issue.keys.join(', ') : field;
  const wrong = issue?.code === 'unrecognized_keys' ? 'is not known here' : 'has a value that is not allowed';
  throw new RefusedRequest(
    what,
    name === ''
      ? `${what === 'bad-body' ? 'The body' : 'The query'} is not of the shape that is asked for.`
      : `${name} ${wrong}.`,
    'GET /v1/openapi.json says what there is.',
    { members: name === '' ? {} : { field: name } },
  );
}
