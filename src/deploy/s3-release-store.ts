import { setMaxListeners } from 'node:events';
import { Readable } from 'node:stream';
import type * as Sdk from '@aws-sdk/client-s3';
import { printable } from '../base/printable.ts';
import type { CredentialsProvider } from '../store/credentials.ts';
import { codeOfFailure, codeOfS3 } from '../store/error-codes.ts';
import type { Transport } from '../store/http/transport.ts';
import type { Timeouts } from '../store/http/transport-settings.ts';
import { arnOf, type ResolvedTarget } from '../store/resolved-target.ts';
import { type DateObserver, sdkRequestHandler } from '../store/sdk/transport.ts';
import { isRetryable, StoreError, type StoreErrorCode } from '../store/store-error.ts';
import type { ReleaseStore, StoredObject, WriteEnd } from './release-store.ts';

export interface S3ReleaseStoreOptions {
  /** Its prefix is the release root. */
  readonly target: ResolvedTarget;
  readonly credentials: CredentialsProvider;
  readonly transport: Transport;
  /** Told the Date of each answer. */
  readonly dates?: DateObserver;
  /** Milliseconds; ends early where the signal is aborted. */
  readonly delay: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/** Milliseconds. A store may take its time over a write: 32 MiB of it, or the first one to a bucket. */
export const WRITING_TIMEOUTS: Timeouts = { connect: 3_000, firstByte: 60_000, stall: 30_000 };

/**
 * Of each request, where the store is in trouble or an answer does not come. Every request can be sent again: a write whose
 * first try took effect is refused the second time, and its writer looks what is there.
 */
const MOST_TRIES = 5;
const FIRST_PAUSE_MS = 200;
/** A write that met another one on the same key (409 on AWS) is tried again. */
const MOST_CONFLICTS = 8;
const CONFLICT_PAUSE_MS = 100;

/**
 * A release root in S3, for writers: by the SDK, since writing is rare, and signed bodies, retries and the parsing of
 * listings are its own. Readers have a leaner way (SignedHttp).
 */
export class S3ReleaseStore implements ReleaseStore {
  readonly #sdk: typeof Sdk;
  readonly #client: Sdk.S3Client;
  readonly #target: ResolvedTarget;
  readonly #delay: S3ReleaseStoreOptions['delay'];

  private constructor(
    sdk: typeof Sdk,
    { target, credentials, transport, dates, delay }: S3ReleaseStoreOptions,
  ) {
    this.#sdk = sdk;
    this.#target = target;
    this.#delay = delay;
    this.#client = new sdk.S3Client({
      region: target.region,
      credentials: () => credentials(),
      forcePathStyle: target.basePath !== '/',
      maxAttempts: 1,
      // Asked for from 2 MiB on; the transport cannot wait for the 100.
      expectContinueHeader: false,
      requestHandler: sdkRequestHandler(transport, dates),
      // Stores other than AWS's refuse the checksums that the SDK adds by itself; TLS and our own digests stand for them.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      followRegionRedirects: true,
      // The endpoint was worked out before, as for a mount.
      ignoreConfiguredEndpointUrls: true,
      ...(target.endpoint !== 'aws' && { endpoint: target.endpoint }),
    });
  }

  /** The SDK is loaded here: it takes a quarter of a second. */
  static async open(options: S3ReleaseStoreOptions): Promise<S3ReleaseStore> {
    // The SDK's releases are pinned here; what it says about coming ones is not for who deploys.
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
      if (length === undefined || length > most) {
        dropped(body);
        throw new StoreError('corrupt', `${key} has ${length} bytes, where ${most} is the most`, LOOK, false);
      }
      if (etag === undefined || body === undefined)
        throw new StoreError('not-s3', `${key} came without ETag`, LOOK, false);
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
      const { Body: body } = await this.#client.send(new this.#sdk.GetObjectCommand(input), {
        abortSignal: signal,
      });
      const bytes = (await body?.transformToByteArray()) ?? new Uint8Array();
      if (bytes.length === length) return bytes;
      throw new StoreError('corrupt', `${bytes.length} of ${length} bytes of ${key} came`, LOOK, false);
    });
  }

  async create(key: string, bytes: Uint8Array, signal: AbortSignal): Promise<WriteEnd> {
    return this.#write(key, bytes, { IfNoneMatch: '*' }, signal);
  }

  async replace(key: string, bytes: Uint8Array, etag: string, signal: AbortSignal): Promise<WriteEnd> {
    return this.#write(key, bytes, { IfMatch: etag }, signal);
  }

  async list(prefix: string, signal: AbortSignal, after?: string): Promise<readonly string[]> {
    const root = this.#target.prefix;
    const keys: string[] = [];
    let token: string | undefined;
    do {
      const input: Sdk.ListObjectsV2CommandInput = {
        Bucket: this.#target.bucket,
        Prefix: root + prefix,
        ...(after !== undefined && { StartAfter: root + after }),
        ...(token !== undefined && { ContinuationToken: token }),
        ...this.#payer(),
      };
      const answer = await this.#named(prefix, 'list', signal, () =>
        this.#client.send(new this.#sdk.ListObjectsV2Command(input), { abortSignal: signal }),
      );
      for (const { Key: key } of answer.Contents ?? []) {
        if (key?.startsWith(root)) keys.push(key.slice(root.length));
      }
      token = answer.IsTruncated === true ? answer.NextContinuationToken : undefined;
    } while (token !== undefined);
    return keys.sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
  }

  async remove(keys: readonly string[], signal: AbortSignal): Promise<void> {
    // One by one: DeleteObjects wants a checksum that not every store takes.
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
        // If-Match on a key that is not there is 404 at AWS.
        if (status === 412 || (status === 404 && nameOf(error) === 'NoSuchKey')) return { kind: 'refused' };
        if (status !== 409) throw this.#errorOf(error, key, 'write', signal);
        if (conflicts === MOST_CONFLICTS) throw this.#conflicting(key, conflicts);
        await this.#delay(CONFLICT_PAUSE_MS * conflicts * Math.random(), signal);
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
    // One signal stops all requests of a deploy, each of which listens.
    setMaxListeners(0, signal);
    try {
      return await this.#tried(key, what, signal, ask);
    } catch (error) {
      throw this.#errorOf(error, key, what, signal);
    }
  }

  /** Rejects with what the last try was rejected with. */
  async #tried<T>(key: string, what: Operation, signal: AbortSignal, ask: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await ask();
      } catch (error) {
        const failure = this.#errorOf(error, key, what, signal);
        if (tries === MOST_TRIES || !(failure instanceof StoreError) || !failure.retryable) throw error;
      }
      await this.#delay(FIRST_PAUSE_MS * 2 ** (tries - 1) * Math.random(), signal);
      signal.throwIfAborted();
    }
  }

  #errorOf(error: unknown, key: string, what: Operation, signal: AbortSignal): unknown {
    if (error instanceof StoreError) return error;
    if (signal.aborted) return signal.reason;
    const status = statusOf(error);
    const words = `${what} ${this.#target.prefix}${key}: ${nameOf(error)}: ${printable(messageOf(error), 300)}`;
    if (status !== undefined) {
      const code = codeOfS3(nameOf(error), status);
      // The SDK signs the next request by the clock of the store that refused this one.
      const retryable = isRetryable(code) || code === 'clock-skew';
      return new StoreError(code, words, this.#hintOf(code, key, what), retryable);
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

/** A body that nobody reads keeps its connection. */
function dropped(body: Sdk.GetObjectCommandOutput['Body']): void {
  if (body === undefined || !(body instanceof Readable)) return;
  body.once('error', () => undefined).destroy();
}

type Operation = 'read' | 'write' | 'list' | 'delete';
type Payer = { readonly RequestPayer?: 'requester' };

const LOOK = "See the store's own words, and what stands between it and this host.";

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
