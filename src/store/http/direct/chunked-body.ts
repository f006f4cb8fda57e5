import { malformed } from './connection-failure.ts';

/**
 * The maximum number of bytes of the line before a chunk. Extensions are allowed in that line, but servers do
 * not use them.
 */
const MAX_SIZE_LINE_BYTES = 1024;

/** The maximum number of bytes of the headers after the last chunk. These headers are ignored. */
const MAX_TRAILER_BYTES = 16 * 1024;

const SIZE_LINE = /^([0-9a-f]{1,12})(?:;[\t\x20-\x7e\x80-\xff]*)?$/i;
const TRAILER_LINE = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*$/;

const LINE_FEED = 10;

/** Decodes one body that is sent in chunks (RFC 9112, section 7.1). */
export class ChunkedBody {
  #state: 'size' | 'data' | 'data-end' | 'trailers' | 'ended' = 'size';
  /** Bytes of the current chunk that are still to come. */
  #missing = 0;
  /** The beginning of a line whose end has not arrived. */
  #line = '';
  #trailerBytes = 0;

  get ended(): boolean {
    return this.#state === 'ended';
  }

  /**
   * Decodes `bytes` from the offset `from` on.
   *
   * @param pieces receives the content, as parts of `bytes`
   * @returns the offset in `bytes` where the body ends; the length of `bytes` if the body goes on
   * @throws {ConnectionFailure} EBADMSG
   */
  read(bytes: Buffer, from: number, pieces: Uint8Array[]): number {
    let at = from;
    while (at < bytes.length && this.#state !== 'ended') {
      at = this.#state === 'data' ? this.#readData(bytes, at, pieces) : this.#readLine(bytes, at);
    }
    return at;
  }

  #readData(bytes: Buffer, from: number, pieces: Uint8Array[]): number {
    const end = Math.min(bytes.length, from + this.#missing);
    pieces.push(bytes.subarray(from, end));
    this.#missing -= end - from;
    if (this.#missing === 0) this.#state = 'data-end';
    return end;
  }

  #readLine(bytes: Buffer, from: number): number {
    const found = bytes.indexOf(LINE_FEED, from);
    const end = found < 0 ? bytes.length : found + 1;
    const most = this.#state === 'trailers' ? MAX_TRAILER_BYTES : MAX_SIZE_LINE_BYTES;
    if (this.#line.length + end - from > most) throw malformed('a line between chunks is too long');
    this.#line += bytes.toString('latin1', from, end);
    if (found < 0) return end;
    const line = this.#line;
    this.#line = '';
    if (!line.endsWith('\r\n')) throw malformed('a line between chunks ends without a carriage return');
    this.#takeLine(line.slice(0, -2));
    return end;
  }

  #takeLine(line: string): void {
    if (this.#state === 'size') {
      const size = SIZE_LINE.exec(line)?.[1];
      if (size === undefined) throw malformed('the size of a chunk is invalid');
      this.#missing = Number.parseInt(size, 16);
      this.#state = this.#missing === 0 ? 'trailers' : 'data';
    } else if (this.#state === 'data-end') {
      if (line !== '') throw malformed('a chunk is longer than its size');
      this.#state = 'size';
    } else if (line === '') {
      this.#state = 'ended';
    } else {
      this.#trailerBytes += line.length;
      if (this.#trailerBytes > MAX_TRAILER_BYTES || !TRAILER_LINE.test(line)) {
        throw malformed('what follows the last chunk is invalid');
      }
    }
  }
}
