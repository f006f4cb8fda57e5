import type { Deadline } from './deadline.ts';
import type { AnswerBody } from './exchange.ts';
import { bareEtag } from './headers.ts';
import { corrupt, type ObjectAnswer, readObjectAnswer } from './object-answer.ts';
import type { GetOptions, ObjectBody } from './object-store.ts';
import { aborted, DEFAULT_DEADLINE_MS, type Pace, withRetries } from './retry.ts';
import type { SignedHttp, StoreAnswer, StoreRequest } from './signed-http.ts';
import { verified, verifiedWhole } from './verified-body.ts';

/**
 * Bodies up to this are collected and checked before the answer is handed out, so that one that breaks off or comes
 * garbled is simply fetched again. 32 of them are 8 MiB.
 */
const COLLECTED_BYTES = 256 * 1024;

/** A longer body that breaks off is continued behind what was read: so often, without a byte in between. */
const MAX_FRUITLESS_RESUMES = 3;

/** Where a body is being read from. */
interface Source {
  readonly answer: StoreAnswer;
  readonly object: ObjectAnswer;
}

/** Reads objects: opens them, checks what comes, and goes on where a connection broke. */
export class ObjectReader {
  readonly #http: SignedHttp;
  readonly #pace: Pace;

  constructor(http: SignedHttp, pace: Pace) {
    this.#http = http;
    this.#pace = pace;
  }

  /**
   * @param key the whole key
   * @param deadline its signal is the caller's; disposed of once the request is over, with its body
   * @param release called then; neither is, where this rejects
   * @throws {StoreError}
   */
  async open(key: string, options: GetOptions, deadline: Deadline, release: () => void): Promise<ObjectBody> {
    const { answer, object, bytes } = await this.#retried(options, deadline, () =>
      this.#request(key, options, deadline),
    );
    if (bytes !== undefined) {
      deadline.dispose();
      release();
      return { ...object.head, body: once(bytes) };
    }
    deadline.stop();
    deadline.addEventListener('abort', release);
    const chunks = this.#chunks(key, options, { answer, object }, deadline);
    return { ...object.head, body: this.#stream(chunks, object, deadline, release) };
  }

  #retried<T>(options: GetOptions, deadline: Deadline, attempt: () => Promise<T>): Promise<T> {
    const { deadlineMs = DEFAULT_DEADLINE_MS } = options;
    return withRetries(attempt, { deadline, deadlineMs, pace: this.#pace });
  }

  /** One try: the answer, checked by its head; a short one with its body, checked too. */
  async #request(
    key: string,
    options: GetOptions,
    deadline: Deadline,
  ): Promise<Source & { readonly bytes: Uint8Array | undefined }> {
    const request = requestFor(key, options);
    const answer = await this.#http.send(request, deadline);
    try {
      const object = readObjectAnswer(answer, options);
      const sent = object.skip + object.length + object.excess;
      if (sent > COLLECTED_BYTES) return { answer, object, bytes: undefined };
      const all = await this.#http.collect(answer, sent, deadline);
      if (all === undefined) throw corrupt(`more than the ${sent} bytes came that were announced`);
      return { answer, object, bytes: await verifiedWhole(all, object) };
    } catch (error) {
      answer.body.cancel(error);
      throw error;
    }
  }

  async *#stream(
    chunks: AsyncIterable<Uint8Array>,
    object: ObjectAnswer,
    deadline: Deadline,
    release: () => void,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* verified(chunks, object);
    } finally {
      deadline.dispose();
      release();
    }
  }

  /** The bytes of a body as they come, over as many connections as it takes. */
  async *#chunks(
    key: string,
    options: GetOptions,
    { answer, object }: Source,
    deadline: Deadline,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    let body: AnswerBody | undefined = answer.body;
    let received = 0;
    for (let fruitless = 1; ; fruitless++) {
      try {
        for await (const chunk of body) {
          received += chunk.length;
          fruitless = 0;
          this.#http.countBytes(chunk.length);
          yield chunk;
        }
        return;
      } catch (error) {
        if (deadline.aborted) throw aborted(deadline);
        const failure = this.#http.connectionError(error, deadline);
        if (failure === undefined) throw error;
        // An answer that holds more than was asked for is one of a store that cannot be asked for the rest.
        const final = !failure.retryable || object.skip > 0 || object.excess > 0;
        if (final || fruitless > MAX_FRUITLESS_RESUMES) throw failure;
        body = await this.#resume(key, options, object, received, deadline);
        if (body === undefined) throw failure;
      }
    }
  }

  /** The rest of the same version; undefined: the store ignores ranges. */
  #resume(
    key: string,
    options: GetOptions,
    object: ObjectAnswer,
    received: number,
    deadline: Deadline,
  ): Promise<AnswerBody | undefined> {
    const range = { start: object.start + received, end: object.start + object.length };
    const rest: GetOptions = { ...options, range, ifMatch: object.head.etag };
    return this.#retried(rest, deadline, async () => {
      const { body, ...answer } = await this.#http.send(requestFor(key, rest), deadline);
      try {
        const { skip } = readObjectAnswer({ ...answer, body }, rest);
        deadline.stop();
        if (skip === 0) return body;
        body.cancel(new Error('the store ignores ranges'));
        return undefined;
      } catch (error) {
        body.cancel(error);
        throw error;
      }
    });
  }
}

function requestFor(key: string, options: GetOptions): StoreRequest {
  const { versionId } = options;
  const headers = requestHeaders(options);
  return versionId === undefined
    ? { operation: 'get', key, headers }
    : { operation: 'get', key, headers, query: { versionId } };
}

function requestHeaders({ ifMatch, range }: GetOptions): Record<string, string> {
  return {
    ...(ifMatch !== undefined && ifMatch !== '' && { 'if-match': `"${bareEtag(ifMatch)}"` }),
    // S3 gives checksums of whole objects alone.
    ...(range === undefined
      ? { 'x-amz-checksum-mode': 'ENABLED' }
      : { range: `bytes=${range.start}-${range.end - 1}` }),
  };
}

/** An iterable of one chunk; a generator costs more. */
function once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]: () => {
      let left = bytes.length > 0;
      return {
        next: async () => {
          if (!left) return { done: true, value: undefined };
          left = false;
          return { done: false, value: bytes };
        },
      };
    },
  };
}
