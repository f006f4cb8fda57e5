import type { Step } from '../support/byte-server.ts';
import type { ListedPage } from './bucket.ts';
import type { Asked } from './scripted-store.ts';

export type Header = readonly [name: string, value: string];

/** An answer as the store means it. `send` or a fault makes the bytes for the connection from it. */
export interface Answer {
  readonly status: number;
  readonly headers: readonly Header[];
  readonly body: Buffer;
}

/** A request that a fault strikes. */
export interface Struck extends Asked {
  /** How many requests the fault struck before this one. */
  readonly struck: number;
  /** The page that the listing would have, if the request asks for one. */
  readonly page: ListedPage | undefined;
}

/** Makes the bytes that are sent in place of an answer. */
export type Fault = (right: Answer, asked: Struck) => readonly Step[];

/** As `Fault`, but the result is still an answer. */
export type Change = (right: Answer, asked: Struck) => Answer;

export function text(words: string): Buffer {
  return Buffer.from(words, 'latin1');
}

/** Status line and headers, with the empty line. */
export function headOf({ status, headers }: Answer, version = '1.1', reason = 'Status'): Buffer {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return text(`HTTP/${version} ${status} ${reason}\r\n${lines}\r\n`);
}

/** Sends an answer as it is: no header is added. */
export function send(answer: Answer): readonly Step[] {
  return [Buffer.concat([headOf(answer), answer.body])];
}

export function changed(change: Change): Fault {
  return (right, asked) => send(change(right, asked));
}

/** An answer with this body, and its length. */
export function answer(status: number, body: string | Buffer = '', ...headers: readonly Header[]): Answer {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  return { status, headers: [...headers, ['Content-Length', String(bytes.length)]], body: bytes };
}

/** The same answer to every request. */
export function always(fixed: Answer): Fault {
  return () => send(fixed);
}

/** Strikes this many times; then the store is well. */
export function times(count: number, fault: Fault): Fault {
  return (right, asked) => (asked.struck < count ? fault(right, asked) : send(right));
}

export function without(right: Answer, ...names: readonly string[]): Answer {
  const lower = names.map((name) => name.toLowerCase());
  return { ...right, headers: right.headers.filter(([name]) => !lower.includes(name.toLowerCase())) };
}

/** Replaces all headers of these names. */
export function withHeaders(right: Answer, ...headers: readonly Header[]): Answer {
  const rest = without(right, ...headers.map(([name]) => name));
  return { ...rest, headers: [...rest.headers, ...headers] };
}

/** The same answer with another body, and the length of that body. */
export function withBody(right: Answer, body: Buffer): Answer {
  return withHeaders({ ...right, body }, ['Content-Length', String(body.length)]);
}

export function headerOf({ headers }: Answer, name: string): string {
  return headers.find(([known]) => known.toLowerCase() === name.toLowerCase())?.[1] ?? '';
}

/** The body in chunks of at most this size, and the last chunk. */
export function chunks(body: Buffer, size = 700, extension = ''): readonly Buffer[] {
  const parts: Buffer[] = [];
  for (let at = 0; at < body.length; at += size) {
    const part = body.subarray(at, at + size);
    parts.push(Buffer.concat([text(`${part.length.toString(16)}${extension}\r\n`), part, text('\r\n')]));
  }
  return [...parts, text('0\r\n\r\n')];
}

export function chunkedHead(right: Answer): Buffer {
  return headOf(withHeaders(without(right, 'Content-Length'), ['Transfer-Encoding', 'chunked']));
}

/** An S3 error document. */
export function errorBody(code: string, message = 'as the store says'): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message><RequestId>4442587FB7D0A2F9</RequestId></Error>`;
}

export function refusal(
  status: number,
  code: string,
  message?: string,
  ...headers: readonly Header[]
): Answer {
  return answer(status, errorBody(code, message), ['Content-Type', 'application/xml'], ...headers);
}

export const page =
  '<!DOCTYPE html><html><head><title>Sign in</title></head><body>Please sign in to the network.</body></html>';

export function webPage(status: number): Answer {
  return answer(status, page, ['Content-Type', 'text/html']);
}
