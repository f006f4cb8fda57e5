import type { IncomingHttpHeaders } from 'node:http';
import { errorOfAnswer, type Operation } from './answer-error.ts';
import { errorOfConnection } from './connection-error.ts';
import { CredentialSource, type Credentials, type CredentialsProvider } from './credentials.ts';
import { type ErrorDocument, MAX_ERROR_BYTES, parseErrorDocument } from './error-document.ts';
import { type Answer, exchange } from './exchange.ts';
import { header } from './headers.ts';
import { encodeComponent, encodeKey } from './key-path.ts';
import type { RequestObserver } from './request-observer.ts';
import { atHost, isAwsHost, isRegionName, type ResolvedTarget, withRegion } from './resolved-target.ts';
import { signedHeaders } from './sign.ts';
import type { StoreError, StoreErrorCode } from './store-error.ts';
import type { Transport } from './transport.ts';

export interface StoreRequest {
  readonly operation: Operation;
  /** The whole key, prefix included; empty: the bucket. */
  readonly key: string;
  readonly query?: Readonly<Record<string, string>>;
  /** Lower-case names. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** An answer with status 200 or 206. */
export interface StoreAnswer extends Answer {
  /** Where it came from. */
  readonly target: ResolvedTarget;
}

export interface SignedHttpOptions {
  readonly target: ResolvedTarget;
  readonly transport: Transport;
  /** Not asked where the target is anonymous. */
  readonly credentials: CredentialsProvider;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  readonly observer?: RequestObserver;
}

/** A bucket that sends from place to place is asked no further. */
const MAX_REDIRECTS = 3;

/** What a proxy may change (Google's does) is sent, but not signed. */
const UNSIGNED = { 'accept-encoding': 'identity', 'user-agent': 'dagmount' } as const;

/** Sends single requests to one bucket: signed, to the region where it is, with credentials that are still good. */
export class SignedHttp {
  readonly transport: Transport;
  readonly #credentials: CredentialSource;
  readonly #now: () => number;
  readonly #observer: RequestObserver | undefined;
  #target: ResolvedTarget;
  #known = false;

  constructor(options: SignedHttpOptions) {
    this.#now = options.now ?? Date.now;
    this.#observer = options.observer;
    this.#target = options.target;
    this.transport = options.transport;
    this.#credentials = new CredentialSource(options.credentials, this.#now);
  }

  /** With the region that the store named, once it has. */
  get target(): ResolvedTarget {
    return this.#target;
  }

  /**
   * One request and its answer; a redirect to the bucket's own region and a renewal of credentials included. No
   * other failure is tried again.
   *
   * @throws {StoreError} for what the store or the network says; the signal's reason where it is aborted
   */
  async send(request: StoreRequest, signal: AbortSignal): Promise<StoreAnswer> {
    let target = this.#target;
    let credentials = await this.#credentialsFor(target);
    let renewed = false;
    for (let redirects = 0; ; ) {
      const started = performance.now();
      const answer = await this.#try(request, target, credentials, signal, started);
      if (answer.status === 200 || answer.status === 206) {
        this.#known ||= answer.headers.etag !== undefined || 'x-amz-request-id' in answer.headers;
        this.#observe(request.operation, 'ok', started);
        return { ...answer, target };
      }
      const document = await readErrorDocument(request.operation, answer);
      this.#known ||= document !== undefined;
      const error = this.#errorOf(request.operation, answer, document, target);
      this.#observe(request.operation, error.code, started);
      const elsewhere = redirects < MAX_REDIRECTS ? this.#redirection(target, answer, document) : undefined;
      if (elsewhere !== undefined) {
        redirects++;
        target = elsewhere;
        continue;
      }
      const others = renewed ? undefined : await this.#renewal(error, document, credentials);
      if (others === undefined) throw error;
      renewed = true;
      credentials = others;
    }
  }

  /**
   * The whole body of an answer; undefined: it is longer than `limit`, and was given up.
   *
   * @throws {StoreError} `unreachable` where the connection breaks; the signal's reason where it is aborted
   */
  async collect(answer: Answer, limit: number, signal: AbortSignal): Promise<Uint8Array | undefined> {
    try {
      const bytes = await answer.body.bytes(limit);
      this.countBytes(bytes?.length ?? limit);
      return bytes;
    } catch (error) {
      throw this.connectionError(error, signal) ?? error;
    }
  }

  countBytes(count: number): void {
    this.#observer?.bytes(count);
  }

  #observe(operation: Operation, outcome: 'ok' | StoreErrorCode, started: number): void {
    this.#observer?.request(operation, outcome, performance.now() - started);
  }

  /** An answer that cannot be used, after all, as an error. */
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

  async #credentialsFor(target: ResolvedTarget): Promise<Credentials | undefined> {
    return target.anonymous ? undefined : this.#credentials.current();
  }

  async #renewal(
    error: StoreError,
    document: ErrorDocument | undefined,
    refused: Credentials | undefined,
  ): Promise<Credentials | undefined> {
    // A key that was rotated away is not expired, it is unknown.
    const refusal = error.code === 'expired' || document?.code === 'InvalidAccessKeyId';
    return refusal && refused !== undefined ? this.#credentials.replace(refused) : undefined;
  }

  async #try(
    request: StoreRequest,
    target: ResolvedTarget,
    credentials: Credentials | undefined,
    signal: AbortSignal,
    started: number,
  ): Promise<Answer> {
    const method = request.operation === 'head' ? 'HEAD' : 'GET';
    const path = target.basePath + encodeKey(request.key);
    const query = request.query ?? {};
    const headers: Record<string, string> = { ...request.headers };
    if (target.requestPayer) headers['x-amz-request-payer'] = 'requester';
    const signed =
      credentials === undefined
        ? { ...headers, host: target.host }
        : await signedHeaders({ method, path, query, headers }, target, credentials, new Date(this.#now()));
    try {
      return await exchange(
        this.transport.dispatcherFor(target.origin),
        {
          method,
          origin: target.origin,
          path: withQuery(path, query),
          headers: { ...signed, ...UNSIGNED },
        },
        signal,
      );
    } catch (error) {
      const failure = this.connectionError(error, signal);
      this.#observe(request.operation, failure?.code ?? 'aborted', started);
      throw failure ?? error;
    }
  }

  /** What a connection, or the body of an answer, failed with; undefined: the signal was aborted, or it is a bug. */
  connectionError(error: unknown, signal: AbortSignal): StoreError | undefined {
    if (signal.aborted) return undefined;
    const { host, origin } = this.#target;
    return errorOfConnection(error, {
      host,
      secure: origin.startsWith('https:'),
      proxied: this.transport.isProxied(origin),
    });
  }

  /** Where to ask instead, if the answer says so in a way that can be followed. */
  #redirection(
    target: ResolvedTarget,
    { status, headers }: Answer,
    document: ErrorDocument | undefined,
  ): ResolvedTarget | undefined {
    if (status !== 301 && status !== 307 && status !== 302 && status !== 400) return undefined;
    const region = header(headers, 'x-amz-bucket-region') ?? document?.region;
    if (region !== undefined && isRegionName(region) && region !== target.region) {
      this.#target = withRegion(this.#target, region);
      return this.#target;
    }
    return status === 400 ? undefined : temporaryPlace(target, headers, document);
  }
}

/**
 * A bucket that is new is served elsewhere for some hours (307). Followed only from one host of AWS to another, never
 * to a protocol that is less safe, and not remembered.
 */
function temporaryPlace(
  target: ResolvedTarget,
  headers: IncomingHttpHeaders,
  document: ErrorDocument | undefined,
): ResolvedTarget | undefined {
  const { protocol, hostname } = new URL(target.origin);
  const place = headers.location ?? (document?.endpoint && `${protocol}//${document.endpoint}`);
  if (place === undefined || !URL.canParse(place)) return undefined;
  const url = new URL(place);
  const fit = url.protocol === protocol && isAwsHost(url.hostname) && isAwsHost(hostname) && url.port === '';
  return fit && url.host !== target.host ? atHost(target, url.origin) : undefined;
}

/** Reads the body of an answer that is not what was asked for: bounded, since nobody vouches for it. */
async function readErrorDocument(operation: Operation, answer: Answer): Promise<ErrorDocument | undefined> {
  if (operation === 'head') {
    answer.body.cancel(new Error('HEAD has no body'));
    return undefined;
  }
  try {
    const bytes = await answer.body.bytes(MAX_ERROR_BYTES);
    return bytes === undefined ? undefined : parseErrorDocument(bytes);
  } catch (error) {
    // The status is known, and says more than the connection that broke behind it.
    if (error instanceof Error) return undefined;
    throw error;
  }
}

function withQuery(path: string, query: Readonly<Record<string, string>>): string {
  const names = Object.keys(query).sort();
  if (names.length === 0) return path;
  const pairs = names.map((name) => `${encodeComponent(name)}=${encodeComponent(query[name] ?? '')}`);
  return `${path}?${pairs.join('&')}`;
}
