import { RETRIES } from '../../base/retry/retry-policies.ts';
import type { Deadline } from '../deadline.ts';
import { bareEtag } from '../etag.ts';
import type { Md5Trust } from '../md5-trust.ts';
import type { GetOptions, ObjectBody, ObjectHead } from '../object-store.ts';
import { aborted, DEFAULT_DEADLINE_MS, withRetries, type Yielder } from '../request-retry.ts';
import { badAnswer } from './answer-error.ts';
import { BODY_BOUNDS, type BodyBounds, BodyRate, longestMs, overdueBody } from './body-bounds.ts';
import type { AnswerBody } from './exchange.ts';
import { announcedLength, LengthError, type ObjectAnswer, readObjectAnswer } from './object-answer.ts';
import { type AcceptedEncoding, SentEncodings } from './sent-encodings.ts';
import type { SignedHttp, StoreAnswer, StoreRequest } from './signed-http.ts';
import { verified, verifiedWhole } from './verified-body.ts';

/**
 * Bodies up to this size are collected and checked before the answer is returned, so that a broken or corrupt
 * body is simply fetched again. 96 of these bodies take 24 MiB.
 */
const COLLECTED_BYTES = 256 * 1024;

/** The maximum number of bytes that are read of an object whose length is unknown. */
const LONGEST_UNANNOUNCED = 8 * 1024 * 1024;

/** The answer that a body is being read from. */
interface Source {
  readonly answer: StoreAnswer;
  readonly object: ObjectAnswer;
  readonly encoding: AcceptedEncoding;
}

/** Reads objects: opens them, verifies the content, and resumes after a broken connection. */
export class ObjectReader {
  readonly #http: SignedHttp;
  readonly #yielder: Yielder;
  readonly #bounds: BodyBounds;
  readonly #md5: Pick<Md5Trust, 'of'>;
  readonly #encodings = new SentEncodings();

  constructor(
    http: SignedHttp,
    yielder: Yielder,
    md5: Pick<Md5Trust, 'of'>,
    bounds: BodyBounds = BODY_BOUNDS,
  ) {
    this.#http = http;
    this.#yielder = yielder;
    this.#md5 = md5;
    this.#bounds = bounds;
  }

  /**
   * Requests an object, and returns its head and a verified body.
   *
   * @param key the whole key, prefix included
   * @param deadline stops when the caller's signal does; disposed of when the request and its body have ended
   * @param release called when the request and its body have ended
   * @throws {StoreError} then neither `release` was called nor `deadline` disposed of
   */
  async open(key: string, options: GetOptions, deadline: Deadline, release: () => void): Promise<ObjectBody> {
    const source = await this.#retried(options, deadline, () => this.#request(key, options, deadline));
    const { bytes, object } = source;
    if (bytes !== undefined) {
      deadline.dispose();
      release();
      return withBody(object.head, new OneChunk(bytes));
    }
    const endsAt = performance.now() + longestMs(this.#bounds, object.length);
    deadline.start(endsAt - performance.now());
    deadline.addEventListener('abort', release);
    const chunks = this.#chunks(key, options, source, deadline, endsAt);
    return { ...object.head, body: this.#stream(key, chunks, source, deadline, release) };
  }

  #retried<T>(options: GetOptions, deadline: Deadline, attempt: () => Promise<T>): Promise<T> {
    const { deadlineMs = DEFAULT_DEADLINE_MS } = options;
    return withRetries(attempt, { deadline, deadlineMs, yielder: this.#yielder });
  }

  /**
   * Makes one attempt: requests an object and checks the head of the answer. Also reads and checks a short
   * body.
   */
  async #request(
    key: string,
    options: GetOptions,
    deadline: Deadline,
  ): Promise<Source & { readonly bytes: Uint8Array | undefined }> {
    const encoding = this.#encodings.of(key);
    const answer = await this.#http.send(requestFor(key, options, encoding), deadline);
    try {
      const unannounced = await this.#unannounced(answer, options, deadline);
      const object = readObjectAnswer(answer, options, unannounced?.length);
      const sent = object.skip + object.length + object.excess;
      if (unannounced === undefined && sent > COLLECTED_BYTES) {
        return { answer, object, encoding, bytes: undefined };
      }
      const all = unannounced ?? (await this.#http.collect(answer, sent, deadline));
      if (all === undefined) throw new LengthError(`more than its ${sent} bytes arrived`);
      return { answer, object, encoding, bytes: await verifiedWhole(all, object, this.#md5.of(key)) };
    } catch (error) {
      answer.body.cancel(error);
      if (error instanceof LengthError) this.#encodings.wasWrong(key, encoding);
      throw error;
    }
  }

  /**
   * Reads the whole body if neither the answer nor the listing gives its length; otherwise returns undefined.
   */
  async #unannounced(
    answer: StoreAnswer,
    { size, range }: GetOptions,
    deadline: Deadline,
  ): Promise<Uint8Array | undefined> {
    if (size !== undefined || range !== undefined || announcedLength(answer) !== undefined) return undefined;
    const all = await this.#http.collect(answer, LONGEST_UNANNOUNCED, deadline);
    if (all === undefined)
      throw badAnswer(`it announced no length, and more than ${LONGEST_UNANNOUNCED} bytes arrived`);
    return all;
  }

  async *#stream(
    key: string,
    chunks: AsyncIterable<Uint8Array>,
    { object, encoding }: Source,
    deadline: Deadline,
    release: () => void,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* verified(chunks, object, this.#md5.of(key));
    } catch (error) {
      if (error instanceof LengthError) this.#encodings.wasWrong(key, encoding);
      throw error;
    } finally {
      deadline.dispose();
      release();
    }
  }

  /**
   * Yields the bytes of a body as they arrive, over as many connections as needed, until `endsAt` at the
   * latest.
   */
  async *#chunks(
    key: string,
    options: GetOptions,
    { answer, object, encoding }: Source,
    deadline: Deadline,
    endsAt: number,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    let body: AnswerBody | undefined = answer.body;
    const rate = new BodyRate(this.#bounds);
    let received = 0;
    let slow = 0;
    for (let fruitless = 1; ; fruitless++) {
      try {
        let asked = performance.now();
        for await (const chunk of body) {
          received += chunk.length;
          fruitless = 0;
          this.#http.countBytes(chunk.length);
          const waited = performance.now() - asked;
          yield chunk;
          rate.received(chunk.length, waited);
          asked = performance.now();
        }
        return;
      } catch (error) {
        if (deadline.passed) throw overdueBody(longestMs(this.#bounds, object.length));
        if (deadline.aborted) throw aborted(deadline);
        const failure = this.#http.connectionError(error, deadline);
        if (failure === undefined) throw error;
        if (error === failure) slow += 1;
        // An answer that is longer than requested comes from a store that ignores ranges, so the rest cannot
        // be requested.
        const final = !failure.retryable || object.skip > 0 || object.excess > 0;
        if (final || fruitless > RETRIES.brokenBody.tries || slow > RETRIES.slowBody.tries) throw failure;
        const left = endsAt - performance.now();
        body = await this.#resume(
          key,
          { ...options, deadlineMs: deadlineOf(options, left) },
          {
            object,
            encoding,
            received,
            deadline,
          },
        );
        if (body === undefined) throw failure;
        deadline.start(endsAt - performance.now());
      }
    }
  }

  /**
   * Requests the rest of the same version. Returns undefined if the store ignores ranges, or gave no ETag to
   * compare.
   */
  async #resume(
    key: string,
    options: GetOptions,
    from: Pick<Source, 'object' | 'encoding'> & { readonly received: number; readonly deadline: Deadline },
  ): Promise<AnswerBody | undefined> {
    const { object, encoding, received, deadline } = from;
    const { etag, isWeak } = object.head;
    if (etag === '') return undefined;
    const range = { start: object.start + received, end: object.start + object.length };
    const rest: GetOptions = { ...options, range, ifMatch: isWeak ? undefined : etag };
    return this.#retried(rest, deadline, async () => {
      const { body, ...answer } = await this.#http.send(requestFor(key, rest, encoding), deadline);
      try {
        const { skip, head } = readObjectAnswer({ ...answer, body }, { ...rest, ifMatch: etag });
        if (skip === 0 && head.etag === etag) return body;
        body.cancel(new Error('the store ignores ranges'));
        return undefined;
      } catch (error) {
        body.cancel(error);
        throw error;
      }
    });
  }
}

function deadlineOf({ deadlineMs = DEFAULT_DEADLINE_MS }: GetOptions, left: number): number {
  return Math.max(0, Math.min(deadlineMs, left));
}

function requestFor(key: string, options: GetOptions, accepts: AcceptedEncoding): StoreRequest {
  const { versionId } = options;
  const request = { operation: 'get', key, accepts, headers: requestHeaders(options) } as const;
  return versionId === undefined ? request : { ...request, query: { versionId } };
}

function requestHeaders({ ifMatch, range }: GetOptions): Record<string, string> {
  // S3 has checksums only for whole objects.
  const headers: Record<string, string> =
    range === undefined
      ? { 'x-amz-checksum-mode': 'ENABLED' }
      : { range: `bytes=${range.start}-${range.end - 1}` };
  if (ifMatch !== undefined && ifMatch !== '') headers['if-match'] = `"${bareEtag(ifMatch)}"`;
  return headers;
}

/**
 * Returns an answer of this head and body. Uses no spread: see docs/architecture.md, "What an object costs".
 */
function withBody(head: ObjectHead, body: AsyncIterable<Uint8Array>): ObjectBody {
  const { etag, isWeak, size, lastModified, versionId } = head;
  if (isWeak === undefined) return { etag, size, lastModified, versionId, body };
  return { etag, isWeak, size, lastModified, versionId, body };
}

/** An iterable of one chunk that can be read once. A generator would cost more. */
class OneChunk implements AsyncIterableIterator<Uint8Array, undefined> {
  #left: Uint8Array | undefined;

  constructor(bytes: Uint8Array) {
    this.#left = bytes.length > 0 ? bytes : undefined;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    const value = this.#left;
    this.#left = undefined;
    return value === undefined ? { done: true, value } : { done: false, value };
  }
}
