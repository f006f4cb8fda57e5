import type { IncomingMessage } from 'node:http';
import { ProblemError } from './problem-error.ts';

/** No request has a reason to be longer; lists of paths come in several. */
export const MAX_BODY_BYTES = 1024 * 1024;

/**
 * The JSON of a request's body; an empty one is an empty object. Rejects with ProblemError
 * `unsupported-media-type`, `body-too-large` or `bad-body`.
 */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) throw tooLarge();
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) throw tooLarge();
    chunks.push(chunk);
  }
  if (length === 0) return {};
  requireJson(request);
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
    return JSON.parse(text) as unknown;
  } catch {
    throw new ProblemError('bad-body', 'The body is no JSON.', 'Send one JSON object, in UTF-8.');
  }
}

function requireJson(request: IncomingMessage): void {
  const type = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase();
  if (type === 'application/json') return;
  throw new ProblemError(
    'unsupported-media-type',
    type === '' ? 'The body says nothing of its type.' : `The body is of type ${type}.`,
    'Send Content-Type: application/json.',
    { headers: { Accept: 'application/json' } },
  );
}

function tooLarge(): ProblemError {
  return new ProblemError(
    'body-too-large',
    `The body is longer than ${MAX_BODY_BYTES} bytes.`,
    'Ask in several requests.',
    // What is left of it would be read for nothing.
    { headers: { Connection: 'close' } },
  );
}
