import type { IncomingHttpHeaders } from 'node:http';
import { malformed } from './connection-failure.ts';

/** The maximum number of bytes of status line and headers, the same as in node:http. */
export const MAX_HEAD_BYTES = 16 * 1024;

/**
 * How the end of a body is known: by the body's length in bytes, by chunks, or by the end of the connection.
 */
export type Framing = number | 'chunked' | 'until-closed';

export interface AnswerHead {
  readonly status: number;
  /** The headers by their names in lower case. A repeated header has the array of its values. */
  readonly headers: IncomingHttpHeaders;
  readonly framing: Framing;
  /** Whether the connection can carry another request after the body. */
  readonly lasting: boolean;
}

/** The maximum number of names of headers that are remembered. */
const MAX_NAMES = 100;

type Headers = Record<string, string | string[] | undefined>;

/**
 * What no head may have: a control character, half of a line break, or a line that continues the previous
 * line.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const NOT_IN_A_HEAD = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)|(?<!\r)\n|\n[ \t]/;

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: |$)/;

/** A token of RFC 9110, section 5.6.2. */
const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Whether a text can be the beginning of an answer. The first bytes already reveal another protocol. */
export function mayBeginAnswer(text: string): boolean {
  const known = 'HTTP/1.';
  return text.startsWith(known.slice(0, text.length)) || text.startsWith(known);
}

/**
 * Reads heads of answers. Remembers the names of headers, because they differ little from answer to answer.
 */
export class HeadReader {
  readonly #names = new Map<string, string>();

  /**
   * @param text status line and headers as latin1, without the empty line
   * @throws {ConnectionFailure} EBADMSG
   */
  read(text: string, method: 'GET' | 'HEAD'): AnswerHead {
    if (NOT_IN_A_HEAD.test(text)) throw malformed('the head of the answer has an invalid character');
    const line = STATUS_LINE.exec(text.slice(0, lineEnd(text, 0)));
    if (line === null) throw malformed('the answer has no status line of HTTP/1.1');
    const status = Number(line[2]);
    const headers = this.#headers(text);
    const framing = framingOf(status, headers, method);
    // The connection is not reused after HEAD, because some servers send a body that an answer to HEAD must
    // not have.
    const lasting =
      line[1] === '1' &&
      method !== 'HEAD' &&
      framing !== 'until-closed' &&
      !hasToken(headers.connection, 'close');
    return { status, headers: headers as IncomingHttpHeaders, framing, lasting };
  }

  #headers(text: string): Headers {
    // The object has no prototype, because the server chooses the names of headers.
    const headers: Headers = { __proto__: null } as unknown as Headers;
    for (let at = lineEnd(text, 0) + 2; at < text.length; ) {
      const end = lineEnd(text, at);
      const colon = text.indexOf(':', at);
      if (colon < 0 || colon > end) throw malformed('a header of the answer has no colon');
      const name = this.#name(text.slice(at, colon));
      const value = valueIn(text, colon + 1, end);
      const before = headers[name];
      if (before === undefined) headers[name] = value;
      else if (typeof before === 'string') headers[name] = [before, value];
      else before.push(value);
      at = end + 2;
    }
    return headers;
  }

  #name(written: string): string {
    const known = this.#names.get(written);
    if (known !== undefined) return known;
    if (!HEADER_NAME.test(written)) throw malformed('a header of the answer has an invalid name');
    const name = written.toLowerCase();
    // The name is copied, because a slice of the head's text would keep all of the text in memory.
    if (this.#names.size < MAX_NAMES)
      this.#names.set(Buffer.from(written, 'latin1').toString('latin1'), name);
    return name;
  }
}

/**
 * Returns a header's value without the blanks around it. trim() would also remove a byte of a value in UTF-8
 * (0xa0).
 */
function valueIn(text: string, from: number, end: number): string {
  let first = from;
  let last = end;
  while (first < last && isBlank(text.charCodeAt(first))) first++;
  while (last > first && isBlank(text.charCodeAt(last - 1))) last--;
  return text.slice(first, last);
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9;
}

function lineEnd(text: string, from: number): number {
  const end = text.indexOf('\r\n', from);
  return end < 0 ? text.length : end;
}

/**
 * Returns how the end of a body is known (RFC 9112, section 6.3). Refuses an answer with two lengths, because
 * a proxy and this client could use different ones.
 */
function framingOf(status: number, headers: Headers, method: 'GET' | 'HEAD'): Framing {
  const { 'transfer-encoding': encoding, 'content-length': length } = headers;
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304) return 0;
  if (encoding !== undefined) {
    if (length !== undefined) throw malformed('the answer has both Transfer-Encoding and Content-Length');
    if (typeof encoding !== 'string' || encoding.toLowerCase() !== 'chunked') {
      throw malformed('the answer has an unknown Transfer-Encoding');
    }
    return 'chunked';
  }
  if (length === undefined) return 'until-closed';
  if (typeof length !== 'string' || !/^\d{1,15}$/.test(length)) {
    throw malformed('the answer has no single valid Content-Length');
  }
  return Number(length);
}

/** Whether a header, which is a list of words, has the word `token`. */
function hasToken(value: string | string[] | undefined, token: string): boolean {
  if (value === undefined) return false;
  return [value].flat().some((list) =>
    list
      .toLowerCase()
      .split(',')
      .some((each) => each.trim() === token),
  );
}
