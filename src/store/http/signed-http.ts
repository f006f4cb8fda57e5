import { orAborted } from '../../base/waiting.ts';
import { CredentialSource, type Credentials, type CredentialsProvider } from '../credentials.ts';
import type { ResolvedTarget } from '../resolved-target.ts';
import type { Stop } from '../stop.ts';
import type { StoreError, StoreErrorCode } from '../store-error.ts';
import { errorOfAnswer, type Operation } from './answer-error.ts';
import { errorOfConnection } from './connection-error.ts';
import { type ErrorDocument, MAX_ERROR_BYTES, parseErrorDocument } from './error-document.ts';
import { type Answer, exchange } from './exchange.ts';
import { encodeKey, withQuery } from './key-path.ts';
import { redirection } from './redirection.ts';
import type { RequestObserver } from './request-observer.ts';
import type { AcceptedEncoding } from './sent-encodings.ts';
import { RequestSigner } from './sign.ts';
import type { Transport } from './transport.ts';

export interface StoreRequest {
  readonly operation: Operation;
  /** The whole key, prefix included. Empty: the request is for the bucket. */
  readonly key: string;
  readonly query?: Readonly<Record<string, string>>;
  /** Lower-case names. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Default `identity`. */
  readonly accepts?: AcceptedEncoding;
}

/** An answer with status 200 or 206, or 304 to a request with If-None-Match. */
export interface StoreAnswer extends Answer {
  /** The target that sent this answer. */
  readonly target: ResolvedTarget;
}

export interface SignedHttpOptions {
  readonly target: ResolvedTarget;
  readonly transport: Transport;
  /** Not called if the target is anonymous. */
  readonly credentials: CredentialsProvider;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  readonly observer?: RequestObserver;
}

/** How one request is sent. */
interface Attempt {
  readonly target: ResolvedTarget;
  /** Undefined: the request is not signed. */
  readonly credentials: Credentials | undefined;
  readonly stop: Stop;
}

/** Redirects followed for one request. */
const MAX_REDIRECTS = 3;

/** For these statuses an answer to GET explains the reason, but an answer to HEAD does not. */
const UNEXPLAINED: ReadonlySet<number> = new Set([301, 307, 400, 403]);

/** Sends single requests to one bucket: signed, to the bucket's region, with valid credentials. */
export class SignedHttp {
  readonly transport: Transport;
  readonly #credentials: CredentialSource;
  readonly #now: () => number;
  readonly #observer: RequestObserver | undefined;
  readonly #signer = new RequestSigner();
  #target: ResolvedTarget;
  #known = false;

  constructor(options: SignedHttpOptions) {
    this.#now = options.now ?? Date.now;
    this.#observer = options.observer;
    this.#target = options.target;
    this.transport = options.transport;
    this.#credentials = new CredentialSource(options.credentials, options.now ?? (() => performance.now()));
  }

  /** The current target. It has the bucket's right region once the store has named it. */
  get target(): ResolvedTarget {
    return this.#target;
  }

  /**
   * Sends one request. Follows a redirect to the bucket's region, and renews credentials once if the store
   * refuses them. Retries no other failure.
   *
   * @throws {StoreError} for a failure of the store or the network
   * @throws the signal's reason if the signal is aborted
   */
  async send(request: StoreRequest, stop: Stop): Promise<StoreAnswer> {
    const found = this.#credentialsFor(this.#target, stop);
    const credentials = found instanceof Promise ? await found : found;
    let attempt: Attempt = { target: this.#target, credentials, stop };
    let renewed = false;
    for (let redirects = 0; ; ) {
      const started = performance.now();
      const answer = await this.#try(request, attempt, started);
      if (isWanted(request, answer)) {
        this.#known ||= answer.headers.etag !== undefined || 'x-amz-request-id' in answer.headers;
        this.#observe(request.operation, 'ok', started);
        const { status, headers, body } = answer;
        return { status, headers, body, target: attempt.target };
      }
      const document = await this.#documentOf(request, answer, attempt);
      this.#known ||= document !== undefined;
      const error = this.#errorOf(request.operation, answer, document, attempt.target);
      this.#observe(request.operation, error.code, started);
      const elsewhere = redirects < MAX_REDIRECTS ? redirection(attempt.target, answer, document) : undefined;
      if (elsewhere !== undefined) {
        redirects++;
        attempt = { ...attempt, target: elsewhere.target };
        if (elsewhere.lasting) this.#target = elsewhere.target;
        continue;
      }
      const others = renewed ? undefined : await this.#renewal(error, document, attempt);
      if (others === undefined) throw error;
      renewed = true;
      attempt = { ...attempt, credentials: others };
    }
  }

  /**
   * Returns the whole body of an answer. Cancels a body that is longer than `limit`, and returns undefined.
   *
   * @throws {StoreError} `unreachable` if the connection breaks
   * @throws the signal's reason if the signal is aborted
   */
  async collect(answer: Answer, limit: number, stop: Stop): Promise<Uint8Array | undefined> {
    try {
      const bytes = await answer.body.bytes(limit);
      this.countBytes(bytes?.length ?? limit);
      return bytes;
    } catch (error) {
      throw this.connectionError(error, stop) ?? error;
    }
  }

  countBytes(count: number): void {
    this.#observer?.bytes(count);
  }

  #observe(operation: Operation, outcome: 'ok' | StoreErrorCode, started: number): void {
    this.#observer?.request(operation, outcome, performance.now() - started);
  }

  #errorOf(
    operation: Operation,
    answer: Answer,
    document: ErrorDocument | undefined,
    target: ResolvedTarget,
  ): StoreError {
    const { status, headers } = answer;
    return errorOfAnswer({
      operation,
      status,
      headers,
      document,
      target,
      known: this.#known,
      now: this.#now(),
    });
  }

  #credentialsFor(target: ResolvedTarget, stop: Stop): Credentials | undefined | Promise<Credentials> {
    if (target.anonymous) return undefined;
    const credentials = this.#credentials.current();
    return credentials instanceof Promise ? orAborted(credentials, stop) : credentials;
  }

  /**
   * Returns the error document of a refused request. An answer to HEAD has no body, so a GET fetches the
   * document.
   */
  async #documentOf(
    request: StoreRequest,
    answer: Answer,
    attempt: Attempt,
  ): Promise<ErrorDocument | undefined> {
    if (request.operation !== 'head') return readErrorDocument(answer, attempt);
    if (!UNEXPLAINED.has(answer.status)) return undefined;
    const asked = {
      ...request,
      operation: 'get',
      headers: { ...request.headers, range: 'bytes=0-0' },
    } as const;
    const spoken = await this.#try(asked, attempt, performance.now());
    if (spoken.status === answer.status) return readErrorDocument(spoken, attempt);
    spoken.body.cancel(new Error('the reason of another answer was wanted'));
    return undefined;
  }

  /**
   * Returns credentials that differ from those that the store refused; undefined if there are none, or if the
   * store refused the request for another reason.
   */
  async #renewal(
    error: StoreError,
    document: ErrorDocument | undefined,
    { credentials, stop }: Attempt,
  ): Promise<Credentials | undefined> {
    // The store reports a key that was rotated away as unknown, not as expired.
    const refused = error.code === 'expired' || document?.code === 'InvalidAccessKeyId';
    if (!refused || credentials === undefined) return undefined;
    return orAborted(this.#credentials.replace(credentials), stop);
  }

  async #try(
    request: StoreRequest,
    { target, credentials, stop }: Attempt,
    started: number,
  ): Promise<Answer> {
    const method = request.operation === 'head' ? 'HEAD' : 'GET';
    const path = target.basePath + encodeKey(request.key);
    const query = request.query ?? {};
    const asked = request.headers ?? {};
    const headers = target.requestPayer ? { ...asked, 'x-amz-request-payer': 'requester' } : asked;
    const signed: Record<string, string> =
      credentials === undefined
        ? { ...headers, host: target.host }
        : this.#signer.sign({ method, path, query, headers }, target, credentials, this.#now());
    // This header is not signed, because a proxy may change it (Google's does).
    signed['accept-encoding'] = request.accepts ?? 'identity';
    signed['user-agent'] = 'dagmount';
    const { firstByte, stall } = this.transport.settings.timeouts;
    try {
      const dispatcher = this.transport.dispatcherFor(target.origin);
      return await exchange(
        dispatcher instanceof Promise ? await dispatcher : dispatcher,
        {
          headersTimeout: firstByte,
          bodyTimeout: stall,
          method,
          origin: target.origin,
          path: withQuery(path, query),
          headers: signed,
        },
        stop,
      );
    } catch (error) {
      const failure = this.connectionError(error, stop);
      this.#observe(request.operation, failure?.code ?? 'aborted', started);
      throw failure ?? error;
    }
  }

  /**
   * Converts a failure of a connection or body to a StoreError. Returns undefined if the signal was aborted,
   * or if the error is a bug.
   */
  connectionError(error: unknown, stop: Stop): StoreError | undefined {
    if (stop.aborted) return undefined;
    const { host, origin } = this.#target;
    return errorOfConnection(error, {
      host,
      secure: origin.startsWith('https:'),
      proxied: this.transport.isProxied(origin),
    });
  }
}

function isWanted({ headers }: StoreRequest, { status }: Answer): boolean {
  return status === 200 || status === 206 || (status === 304 && headers?.['if-none-match'] !== undefined);
}

/** Reads the error document in an unexpected answer. The answer is untrusted, so its length is bounded. */
async function readErrorDocument(
  answer: Answer,
  { credentials }: Attempt,
): Promise<ErrorDocument | undefined> {
  try {
    const bytes = await answer.body.bytes(MAX_ERROR_BYTES);
    return bytes === undefined ? undefined : parseErrorDocument(bytes, credentials);
  } catch (error) {
    // The status of the answer is known, and says more than the failure of its body.
    if (error instanceof Error) return undefined;
    throw error;
  }
}
