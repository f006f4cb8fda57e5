import type { Deadline } from './deadline.ts';
import type { AnswerBody } from './exchange.ts';
import { bareEtag } from './headers.ts';
import { corrupt, type ObjectAnswer, readObjectAnswer } from './object-answer.ts';
import type { GetOptions, ObjectBody } from './object-store.ts';
import { aborted, DEFAULT_DEADLINE_MS, type Pace, withRetries } from './retry.ts';
import type { SignedHttp, StoreAnswer } from './signed-http.ts';
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
  readonly deadline: Deadline;
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
   * @param release called once the request is over, with its body; not where this rejects
   * @throws {StoreError}
   */
  async open(key: string, options: GetOptions, release: () => void): Promise<ObjectBody> {
    const source = await this.#retried(options, (deadline) => this.#request(key, options, deadline));
    if ('bytes' in source) {
      release();
      return { ...source.object.head, body: once(source.bytes) };
    }
    source.deadline.stop();
    source.deadline.signal.addEventListener('abort', release, { once: true });
    return { ...source.object.head, body: this.#stream(key, options, source, release) };
  }

  #retried<T>(options: GetOptions, attempt: (deadline: Deadline) => Promise<T>): Promise<T> {
    const { signal, deadlineMs = DEFAULT_DEADLINE_MS } = options;
    return withRetries(attempt, { signal, deadlineMs, pace: this.#pace });
  }

  /** One try: the answer, checked by its head; a short one with its body, checked too. */
  async #request(
    key: string,
    options: GetOptions,
    deadline: Deadline,
  ): Promise<Source | { readonly object: ObjectAnswer; readonly bytes: Uint8Array }> {
    const answer = await this.#http.send(
      { operation: 'get', key, headers: requestHeaders(options) },
      deadline.signal,
    );
    try {
      const object = readObjectAnswer(answer, options);
      const sent = object.skip + object.length + object.excess;
      if (sent > COLLECTED_BYTES) return { answer, object, deadline };
      const all = await this.#http.collect(answer, sent, deadline.signal);
      if (all === undefined) throw corrupt(`more than the ${sent} bytes came that were announced`);
      const bytes = await verifiedWhole(all, object);
      deadline.dispose();
      return { object, bytes };
    } catch (error) {
      answer.body.cancel(error);
      throw error;
    }
  }

  async *#stream(
    key: string,
    options: GetOptions,
    source: Source,
    release: () => void,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* verified(this.#chunks(key, options, source), source.object);
    } finally {
      release();
      source.deadline.dispose();
    }
  }

  /** The bytes of a body as they come, over as many connections as it takes. */
  async *#chunks(
    key: string,
    options: GetOptions,
    { answer, object, deadline }: Source,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const { signal } = deadline;
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
        if (signal.aborted) throw aborted(signal);
        const failure = this.#http.connectionError(error, signal);
        if (failure === undefined) throw error;
        // An answer that holds more than was asked for is one of a store that cannot be asked for the rest.
        const final = !failure.retryable || object.skip > 0 || object.excess > 0;
        if (final || fruitless > MAX_FRUITLESS_RESUMES) throw failure;
        body = await this.#resume(key, { ...options, signal }, object, received);
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
  ): Promise<AnswerBody | undefined> {
    const range = { start: object.start + received, end: object.start + object.length };
    const rest: GetOptions = { ...options, range, ifMatch: object.head.etag };
    return this.#retried(rest, async (deadline) => {
      const request = { operation: 'get', key, headers: requestHeaders(rest) } as const;
      const { body, ...answer } = await this.#http.send(request, deadline.signal);
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

function requestHeaders({ ifMatch, range }: GetOptions): Record<string, string> {
  return {
    ...(ifMatch !== undefined && ifMatch !== '' && { 'if-match': `"${bareEtag(ifMatch)}"` }),
    // S3 gives checksums of whole objects alone.
    ...(range === undefined
      ? { 'x-amz-checksum-mode': 'ENABLED' }
      : { range: `bytes=${range.start}-${range.end - 1}` }),
  };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  if (bytes.length > 0) yield bytes;
}
