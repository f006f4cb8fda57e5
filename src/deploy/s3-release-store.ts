import { setMaxListeners } from 'node:events';
import { Readable } from 'node:stream';
import type * as Sdk from '@aws-sdk/client-s3';
import { printable } from '../base/printable.ts';
import { pauseAfter, retry } from '../base/retry/retry.ts';
import { RETRIES } from '../base/retry/retry-policies.ts';
import { ReleaseError } from '../release/index.ts';
import { type CredentialsProvider, withoutSecrets } from '../store/credentials.ts';
import { codeOfFailure, codeOfS3 } from '../store/error-codes.ts';
import type { Transport } from '../store/http/transport.ts';
import type { Timeouts } from '../store/http/transport-settings.ts';
import { arnOf, type ResolvedTarget } from '../store/resolved-target.ts';
import { RenewedCredentials } from '../store/sdk/renewed-credentials.ts';
import { type DateObserver, sdkRequestHandler } from '../store/sdk/transport.ts';
import { isRetryable, StoreError, type StoreErrorCode } from '../store/store-error.ts';
import type { ListedObject, ReleaseStore, StoredObject, WriteEnd } from './release-store.ts';

export interface S3ReleaseStoreOptions {
  /** The bucket, with the release root as prefix. */
  readonly target: ResolvedTarget;
  readonly credentials: CredentialsProvider;
  readonly transport: Transport;
  /** Receives the Date of each answer. */
  readonly dates?: DateObserver;
  /** Waits; ends early if the signal is aborted. */
  readonly delay: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/** Milliseconds. A store may be slow to write 32 MiB, or the first object of a bucket. */
export const WRITING_TIMEOUTS: Timeouts = { connect: 3_000, firstByte: 60_000, stall: 30_000 };

/**
 * A release root in S3, for writers. Uses the SDK, because writes are rare, and the SDK has signed bodies and
 * a parser of listings. Readers use SignedHttp, which is faster.
 */
export class S3ReleaseStore implements ReleaseStore {
  readonly #sdk: typeof Sdk;
  readonly #client: Sdk.S3Client;
  readonly #target: ResolvedTarget;
  readonly #delay: S3ReleaseStoreOptions['delay'];
  readonly #credentials: RenewedCredentials;

  private constructor(
    sdk: typeof Sdk,
    { target, credentials, transport, dates, delay }: S3ReleaseStoreOptions,
  ) {
    this.#sdk = sdk;
    this.#target = target;
    this.#delay = delay;
    this.#credentials = new RenewedCredentials(credentials);
    this.#client = new sdk.S3Client({
      region: target.region,
      credentials: this.#credentials.provide,
      forcePathStyle: target.basePath !== '/',
      maxAttempts: 1,
      // The SDK would send `Expect: 100-continue` from 2 MiB on; the transport cannot wait for status 100.
      expectContinueHeader: false,
      requestHandler: sdkRequestHandler(transport, dates),
      // Some stores reject the checksums that the SDK adds by default. TLS and our own digests replace them.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      followRegionRedirects: true,
      // The endpoint is already resolved, as for a mount.
      ignoreConfiguredEndpointUrls: true,
      ...(target.endpoint !== 'aws' && { endpoint: target.endpoint }),
    });
  }

  /** Opens a release root. Loads the SDK, which takes a quarter of a second. */
  static async open(options: S3ReleaseStoreOptions): Promise<S3ReleaseStore> {
    // dagmount pins the version of the SDK, so the SDK's notices about later versions do not concern users.
    process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
    return new S3ReleaseStore(await import('@aws-sdk/client-s3'), options);
  }

  close(): void {
    this.#client.destroy();
  }

  async read(key: string, most: number, signal: AbortSignal): Promise<StoredObject | undefined> {
    return this.#unlessGone(key, 'read', signal, async () => {
      const answer = await this.#client.send(new this.#sdk.GetObjectCommand(this.#at(key)), {
        abortSignal: signal,
      });
      const { ContentLength: length, ETag: etag, Body: body } = answer;
      if (length !== undefined && length > most) {
        dropped(body);
        throw new ReleaseError(
          'malformed',
          `${key} has ${length} bytes, where ${most} are the most`,
          'It was not written by dagmount, or was changed since: check which accounts can write below the release root.',
        );
      }
      if (etag === undefined || length === undefined || body === undefined) {
        dropped(body);
        throw new StoreError('not-s3', `${key} came without ETag or length`, LOOK, false);
      }
      return { bytes: await body.transformToByteArray(), etag };
    });
  }

  async readRange(
    key: string,
    offset: number,
    length: number,
    signal: AbortSignal,
  ): Promise<Uint8Array | undefined> {
    return this.#unlessGone(key, 'read', signal, async () => {
      const input = { ...this.#at(key), Range: `bytes=${offset}-${offset + length - 1}` };
      try {
        const { Body: body, ContentLength: sent } = await this.#client.send(
          new this.#sdk.GetObjectCommand(input),
          { abortSignal: signal },
        );
        const bytes = (await body?.transformToByteArray()) ?? new Uint8Array();
        if (bytes.length === length || (bytes.length < length && bytes.length === sent)) return bytes;
        throw new StoreError('corrupt', `${bytes.length} of ${length} bytes of ${key} came`, LOOK, false);
      } catch (error) {
        // The object ends before the range begins.
        if (statusOf(error) === 416) return new Uint8Array();
        throw error;
      }
    });
  }

  async create(key: string, bytes: Uint8Array, signal: AbortSignal): Promise<WriteEnd> {
    return this.#write(key, bytes, { IfNoneMatch: '*' }, signal);
  }

  async replace(key: string, bytes: Uint8Array, etag: string, signal: AbortSignal): Promise<WriteEnd> {
    return this.#write(key, bytes, { IfMatch: etag }, signal);
  }

  async list(prefix: string, signal: AbortSignal, after?: string): Promise<readonly string[]> {
    return (await this.#list(prefix, signal, after)).map(({ key }) => key);
  }

  listObjects(prefix: string, signal: AbortSignal): Promise<readonly ListedObject[]> {
    return this.#list(prefix, signal);
  }

  async #list(prefix: string, signal: AbortSignal, after?: string): Promise<readonly ListedObject[]> {
    const root = this.#target.prefix;
    const objects: ListedObject[] = [];
    const tokens = new Set<string>();
    let token: string | undefined;
    let startAfter = after === undefined ? undefined : root + after;
    // The rows of a page that did not say whether it is the last one.
    let undecided: number | undefined;
    for (;;) {
      const input: Sdk.ListObjectsV2CommandInput = {
        Bucket: this.#target.bucket,
        Prefix: root + prefix,
        ...(startAfter !== undefined && { StartAfter: startAfter }),
        ...(token !== undefined && { ContinuationToken: token }),
        ...this.#payer(),
      };
      const answer = await this.#named(prefix, 'list', signal, () =>
        this.#client.send(new this.#sdk.ListObjectsV2Command(input), { abortSignal: signal }),
      );
      const { Contents: contents = [], IsTruncated: isTruncated, NextContinuationToken: next } = answer;
      const last = contents.at(-1)?.Key;
      const goesOn = isAfter(last, startAfter);
      // It was the last one, or the store ignores StartAfter and had sent all of its keys before.
      if (undecided !== undefined && !goesOn && (undecided < FULL_PAGE_ROWS || contents.length === 0)) break;
      for (const { Key: key, LastModified: lastModified } of contents) {
        if (!key?.startsWith(root)) continue;
        objects.push({ key: key.slice(root.length), lastModified: lastModified?.getTime() });
      }
      if (isTruncated === false || (isTruncated === undefined && next === undefined && last === undefined))
        break;
      if (next === undefined ? !goesOn : tokens.has(next))
        throw new StoreError('corrupt', `the listing of ${root}${prefix} does not go on`, LOOK, false);
      // Like a mount, goes on after the last key if the store gives no token.
      if (next === undefined) startAfter = last;
      else tokens.add(next);
      token = next;
      undecided = isTruncated === undefined && next === undefined ? contents.length : undefined;
    }
    return objects.sort((one, other) => Buffer.compare(Buffer.from(one.key), Buffer.from(other.key)));
  }

  async remove(keys: readonly string[], signal: AbortSignal): Promise<void> {
    // Deletes the objects one by one, because DeleteObjects needs a checksum that some stores reject.
    for (const key of keys) {
      await this.#named(key, 'delete', signal, () =>
        this.#client.send(new this.#sdk.DeleteObjectCommand(this.#at(key)), { abortSignal: signal }),
      );
    }
  }

  async #write(
    key: string,
    bytes: Uint8Array,
    condition: { readonly IfNoneMatch: string } | { readonly IfMatch: string },
    signal: AbortSignal,
  ): Promise<WriteEnd> {
    setMaxListeners(0, signal);
    const input = { ...this.#at(key), ...condition, Body: bytes, ContentLength: bytes.length };
    for (let conflicts = 1; ; conflicts++) {
      try {
        const { ETag: etag } = await this.#tried(key, 'write', signal, () =>
          this.#client.send(new this.#sdk.PutObjectCommand(input), { abortSignal: signal }),
        );
        if (etag === undefined)
          throw new StoreError('not-s3', `writing ${key} was answered without ETag`, LOOK, false);
        return { kind: 'written', etag };
      } catch (error) {
        const status = statusOf(error);
        // AWS answers an If-Match on a missing key with 404.
        if (status === 412 || (status === 404 && nameOf(error) === 'NoSuchKey')) return { kind: 'refused' };
        if (status !== 409) throw this.#errorOf(error, key, 'write', signal);
        if (conflicts === RETRIES.writeConflict.tries) throw this.#conflicting(key, conflicts);
        await this.#delay(pauseAfter(RETRIES.writeConflict.pauses, conflicts, Math.random()), signal);
        signal.throwIfAborted();
      }
    }
  }

  async #unlessGone<T>(
    key: string,
    what: Operation,
    signal: AbortSignal,
    ask: () => Promise<T>,
  ): Promise<T | undefined> {
    try {
      return await this.#named(key, what, signal, ask);
    } catch (error) {
      if (error instanceof StoreError && error.code === 'gone') return undefined;
      throw error;
    }
  }

  async #named<T>(key: string, what: Operation, signal: AbortSignal, ask: () => Promise<T>): Promise<T> {
    // One signal stops all requests of a deploy, and each request adds a listener to it.
    setMaxListeners(0, signal);
    try {
      return await this.#tried(key, what, signal, ask);
    } catch (error) {
      throw this.#errorOf(error, key, what, signal);
    }
  }

  /**
   * Sends a request, and sends it again if that may help. Rejects with the error of the last attempt. It is
   * safe to send any request again: if the first attempt of a write took effect, the store refuses the
   * second, and the writer then reads the object.
   */
  #tried<T>(key: string, what: Operation, signal: AbortSignal, ask: () => Promise<T>): Promise<T> {
    let hasRenewed = false;
    return retry(ask, {
      policy: RETRIES.write,
      mayRepair: (error) => {
        const failure = this.#errorOf(error, key, what, signal);
        if (!(failure instanceof StoreError)) return false;
        // Credentials may end during a long deploy. The next attempt gets others, if there are others.
        const isRefused = failure.code === 'expired' || KEY_IS_WRONG.has(nameOf(error));
        if (isRefused) this.#credentials.refused();
        const mayRenew = isRefused && !hasRenewed;
        hasRenewed ||= isRefused;
        return failure.retryable || mayRenew;
      },
      sleep: async (ms) => {
        await this.#delay(ms, signal);
        signal.throwIfAborted();
      },
      random: Math.random,
    });
  }

  #errorOf(error: unknown, key: string, what: Operation, signal: AbortSignal): unknown {
    if (error instanceof StoreError || error instanceof ReleaseError) return error;
    if (signal.aborted) return signal.reason;
    const status = statusOf(error);
    const said = printable(withoutSecrets(messageOf(error), this.#credentials.given), 300);
    const words = `${what} ${this.#target.prefix}${key}: ${nameOf(error)}: ${said}`;
    if (status !== undefined) {
      const code = codeOfS3(nameOf(error), status);
      const hint = KEY_IS_WRONG.has(nameOf(error)) ? CHECK_KEYS : this.#hintOf(code, key, what);
      // After `clock-skew`, the SDK signs the next request with the clock of the store.
      const retryable = isRetryable(code) || code === 'clock-skew';
      return new StoreError(code, words, hint, retryable);
    }
    const { code } = error as { readonly code?: unknown };
    if (typeof code !== 'string') return error;
    const failed = codeOfFailure(code);
    return new StoreError(failed, words, 'Check --endpoint-url and the network.', isRetryable(failed));
  }

  #conflicting(key: string, times: number): StoreError {
    return new StoreError(
      'throttled',
      `writing ${this.#target.prefix}${key} met a conflict ${times} times`,
      'Run it again: others write to the same object, or the store is not done with an earlier write.',
      false,
    );
  }

  #hintOf(code: StoreErrorCode, key: string, what: Operation): string {
    if (code === 'denied') return this.#grant(key, what);
    if (code !== 'no-such-bucket') return LOOK;
    return `Check the name ${this.#target.bucket}, and that --endpoint-url and the credentials are of the right account.`;
  }

  #grant(key: string, what: Operation): string {
    const { bucket, prefix } = this.#target;
    const resource = arnOf(bucket);
    if (what === 'list') return `Grant s3:ListBucket on ${resource}.`;
    const permission = { read: 's3:GetObject', write: 's3:PutObject', delete: 's3:DeleteObject' }[what];
    const [folder = ''] = key.split('/');
    return `Grant ${permission} on ${resource}/${prefix}${folder}/*.`;
  }

  #at(key: string): { readonly Bucket: string; readonly Key: string } & Payer {
    return { Bucket: this.#target.bucket, Key: this.#target.prefix + key, ...this.#payer() };
  }

  #payer(): Payer {
    return this.#target.requestPayer ? { RequestPayer: 'requester' } : {};
  }
}

/** Closes a body that is not read: it would keep its connection busy. */
function dropped(body: Sdk.GetObjectCommandOutput['Body']): void {
  if (body === undefined || !(body instanceof Readable)) return;
  body.once('error', () => undefined).destroy();
}

/** Objects in a full page of S3. */
const FULL_PAGE_ROWS = 1_000;

function isAfter(key: string | undefined, other: string | undefined): boolean {
  return key !== undefined && Buffer.compare(Buffer.from(key), Buffer.from(other ?? '')) > 0;
}

type Operation = 'read' | 'write' | 'list' | 'delete';
type Payer = { readonly RequestPayer?: 'requester' };

const LOOK = "See the store's own words, and what stands between it and this host.";

/**
 * Names of errors that say that the store does not know the access key, or that its secret is wrong. No
 * permission would help.
 */
const KEY_IS_WRONG: ReadonlySet<string> = new Set(['SignatureDoesNotMatch', 'InvalidAccessKeyId']);
const CHECK_KEYS =
  'Check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the profile, and that they are those of this endpoint.';

function statusOf(error: unknown): number | undefined {
  const { $metadata } = error as { readonly $metadata?: { readonly httpStatusCode?: number } };
  return $metadata?.httpStatusCode;
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : 'unknown';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
