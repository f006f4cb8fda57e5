import type { IncomingHttpHeaders } from 'node:http';
import { exchange } from '../../src/store/http/exchange.ts';
import type { RequestDispatcher, SentRequest } from '../../src/store/http/request-dispatcher.ts';
import { Stopper } from '../../src/store/stop.ts';

export interface WholeAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Milliseconds; generous, since no test here is about time. */
const PATIENCE_MS = 20_000;

/** Sends one request, and reads its answer to the end. */
export async function ask(
  dispatcher: RequestDispatcher,
  origin: string,
  request: Partial<SentRequest> = {},
): Promise<WholeAnswer> {
  const { status, headers, body } = await exchange(
    dispatcher,
    {
      method: 'GET',
      origin,
      path: '/',
      headers: { host: 'store' },
      headersTimeout: PATIENCE_MS,
      bodyTimeout: PATIENCE_MS,
      ...request,
    },
    new Stopper(),
  );
  return { status, headers, body: Buffer.from((await body.bytes(Number.MAX_SAFE_INTEGER))!) };
}

/** The code of the error with which a request failed. */
export async function codeOf(failing: Promise<unknown>): Promise<unknown> {
  try {
    await failing;
  } catch (error) {
    return (error as { readonly code?: unknown }).code ?? error;
  }
  return 'it did not fail';
}
