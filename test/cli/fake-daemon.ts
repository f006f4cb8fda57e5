import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { type Cleanup, defer, temporaryDirectory } from '../support/temporary.ts';

export interface Asked {
  readonly method: string;
  /** With the query, as the client sent it. */
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
}

/** Answers one request: returns a document, or writes the response itself. */
export type Answering = (asked: Asked, response: ServerResponse) => unknown;

export interface FakeDaemon {
  readonly socket: string;
  readonly asked: readonly Asked[];
  /** Ends the daemon as a kill would: open connections break off. */
  stop(): Promise<void>;
}

/** A problem that the daemon reports; an answer throws it. */
export class Refusal extends Error {
  readonly problem: Readonly<Record<string, unknown>>;

  constructor(status: number, code: string, detail: string, hint?: string) {
    super(detail);
    this.problem = {
      type: `urn:dagmount:problem:${code}`,
      title: code,
      status,
      detail,
      code,
      ...(hint !== undefined && { hint }),
    };
  }
}

/**
 * A daemon that gives a test's answers, by method and path: `GET /v1/status`. It sends what an answer returns as JSON,
 * unless the answer has written the response itself and returns undefined.
 */
export async function fakeDaemon(
  test: Cleanup,
  answers: Readonly<Record<string, Answering>>,
  at?: string,
): Promise<FakeDaemon> {
  const socket = at ?? join(await temporaryDirectory(test), 'd.sock');
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request.setEncoding('utf8')) text += chunk;
    const { method = '', url = '', headers } = request;
    const each = { method, url, headers, body: text === '' ? undefined : (JSON.parse(text) as unknown) };
    asked.push(each);
    try {
      const answer = answers[`${method} ${url.split('?')[0]}`];
      if (answer === undefined) throw new Refusal(404, 'not-found', `There is nothing at ${url}.`);
      const document = answer(each, response);
      if (typeof document === 'string') response.setHeader('Content-Type', 'text/plain').end(document);
      else if (document !== undefined) {
        response.setHeader('Content-Type', 'application/json').end(JSON.stringify(document));
      }
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      response.statusCode = Number(error.problem.status);
      response.setHeader('Content-Type', 'application/problem+json').end(JSON.stringify(error.problem));
    }
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  const stop = async (): Promise<void> => {
    if (!server.listening) return;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  defer(test, stop);
  return { socket, asked, stop };
}
