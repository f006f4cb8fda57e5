import type { ServerResponse } from 'node:http';
import type { Answer, Pieces } from '../endpoints/route.ts';

export const PROBLEM_TYPE = 'application/problem+json';

/**
 * Sends an answer. Resolves when the answer is handed to the socket, or the client is gone. Rejects if a
 * piece of the answer cannot be produced.
 *
 * @param stallMs a client that accepts nothing for this long is disconnected, and the unsent rest is dropped
 */
export async function writeAnswer(
  method: string | undefined,
  response: ServerResponse,
  answer: Answer,
  stallMs: number,
  signal: AbortSignal,
): Promise<void> {
  const { socket } = response;
  if (socket === null || socket.destroyed) return;
  socket.setTimeout(stallMs);
  const { status } = answer;
  const headers = { 'Cache-Control': 'no-store', ...answer.headers };
  if ('empty' in answer) {
    response.writeHead(status, headers).end();
    return;
  }
  const type = typeOf(answer);
  if ('pieces' in answer) {
    response.writeHead(status, { 'Content-Type': type, ...headers });
    if (method === 'HEAD') response.end();
    else await sendPieces(response, answer.pieces, signal);
    return;
  }
  const content = Buffer.from('json' in answer ? JSON.stringify(answer.json) : answer.text);
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': content.length, ...headers });
  response.end(method === 'HEAD' ? undefined : content);
}

/** Returns the media type of an answer that has a body. */
export function typeOf(answer: Exclude<Answer, { readonly empty: true }>): string {
  if (!('json' in answer)) return answer.contentType;
  const isProblem = answer.status >= 400 && isProblemDetails(answer.json);
  return isProblem ? PROBLEM_TYPE : 'application/json';
}

/**
 * Sends an answer in pieces. Holds at most one piece in memory, plus the unsent rest of the previous piece.
 */
async function sendPieces(response: ServerResponse, pieces: Pieces, signal: AbortSignal): Promise<void> {
  for await (const piece of pieces) {
    if (signal.aborted) return;
    if (!response.write(piece)) await drained(response, signal);
  }
  response.end();
}

function drained(response: ServerResponse, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.removeListener('drain', done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    response.once('drain', done);
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
  });
}

function isProblemDetails(json: unknown): boolean {
  return typeof json === 'object' && json !== null && 'title' in json && 'code' in json;
}
