import type { IncomingMessage } from 'node:http';
import { RefusedRequest } from '../refused-request.ts';

/**
 * Maximum size of a body. No request needs a longer body, because clients send long lists of paths in several
 * requests.
 */
export const MAX_BODY_BYTES = 1024 * 1024;

/** Maximum number of bytes of an overlong body that are read and discarded before the error is sent. */
const MAX_READ_BYTES = 32 * MAX_BODY_BYTES;

/**
 * Reads the JSON of a request's body. Returns an empty object for an empty body. Rejects with RefusedRequest
 * `unsupported-media-type`, `body-too-large` or `bad-body`.
 */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  if (Number(request.headers['content-length'] ?? 0) > MAX_READ_BYTES) throw tooLarge();
  const bytes = await bytesOf(request);
  if (bytes.length === 0) return {};
  requireJson(request);
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return JSON.parse(text) as unknown;
  } catch {
    throw new RefusedRequest('bad-body', 'The body is no JSON.', 'Send one JSON object, in UTF-8.');
  }
}

/**
 * Reads the bytes of a body. Listens to events instead of iterating, because an iteration that stops early
 * destroys the connection, and so the answer.
 */
function bytesOf(request: IncomingMessage): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length <= MAX_BODY_BYTES) chunks.push(chunk);
      else chunks.length = 0;
      if (length > MAX_READ_BYTES) reject(tooLarge());
    });
    // Lets an overlong body end before the error is sent, up to MAX_READ_BYTES: a client that is still
    // sending would miss the answer.
    request.once('end', () =>
      length > MAX_BODY_BYTES ? reject(tooLarge()) : resolve(Buffer.concat(chunks)),
    );
    request.once('error', reject);
    request.once('close', () => reject(new Error('the client went away')));
  });
}

function requireJson(request: IncomingMessage): void {
  const type = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase();
  if (type === 'application/json') return;
  throw new RefusedRequest(
    'unsupported-media-type',
    type === '' ? 'The body says nothing of its type.' : `The body is of type ${type}.`,
    'Send Content-Type: application/json.',
    { headers: { Accept: 'application/json' } },
  );
}

function tooLarge(): RefusedRequest {
  return new RefusedRequest(
    'body-too-large',
    `The body is longer than ${MAX_BODY_BYTES} bytes.`,
    'Ask in several requests.',
    // Closes the connection, because the rest of the body would be read for nothing.
    { headers: { Connection: 'close' } },
  );
}
