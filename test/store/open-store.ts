import type { Credentials, CredentialsProvider } from '../../src/store/credentials.ts';
import type { BodyBounds } from '../../src/store/http/body-bounds.ts';
import type { RequestObserver } from '../../src/store/http/request-observer.ts';
import { SignedHttp } from '../../src/store/http/signed-http.ts';
import { Transport } from '../../src/store/http/transport.ts';
import type { TransportSettings } from '../../src/store/http/transport-settings.ts';
import type { Yielder } from '../../src/store/request-retry.ts';
import { atHost, type ResolvedTarget } from '../../src/store/resolved-target.ts';
import { S3Store } from '../../src/store/s3-store.ts';
import { StoreError } from '../../src/store/store-error.ts';
import { type Cleanup, defer } from '../support/temporary.ts';

export const SECRET = 'the-secret-access-key';
export const CREDENTIALS: Credentials = { accessKeyId: 'THEKEY', secretAccessKey: SECRET };

export const TARGET: ResolvedTarget = {
  bucket: 'bucket',
  prefix: 'dags/',
  origin: 'http://store',
  host: 'store',
  basePath: '/bucket/',
  region: 'us-east-1',
  service: 's3',
  endpoint: 'http://store',
  requestPayer: false,
  anonymous: false,
};

export interface StoreUnderTest {
  readonly http: SignedHttp;
  readonly store: S3Store;
  readonly transport: Transport;
  /** The waits between tries that the store requested, in milliseconds. */
  readonly waits: number[];
  readonly yielder: Yielder;
}

export interface UnderTestOptions {
  readonly target?: Partial<ResolvedTarget>;
  readonly settings?: Partial<TransportSettings>;
  readonly credentials?: CredentialsProvider;
  readonly concurrency?: number;
  readonly now?: () => number;
  readonly observer?: RequestObserver;
  readonly bodyBounds?: BodyBounds;
}

/** A store at an origin. It reads no environment, retries at once, and has short timeouts. */
export function openStore(test: Cleanup, origin: string, options: UnderTestOptions = {}): StoreUnderTest {
  const transport = new Transport(settingsOf(options.settings));
  const waits: number[] = [];
  const yielder: Yielder = {
    sleep: async (milliseconds) => {
      waits.push(milliseconds);
    },
    random: () => 0.999,
  };
  const shared = {
    target: { ...atHost(TARGET, origin), ...options.target },
    transport,
    credentials: options.credentials ?? (async () => CREDENTIALS),
    ...(options.now !== undefined && { now: options.now }),
    ...(options.observer !== undefined && { observer: options.observer }),
  };
  const store = new S3Store({
    ...shared,
    yielder,
    ...(options.bodyBounds !== undefined && { bodyBounds: options.bodyBounds }),
    ...(options.concurrency !== undefined && { concurrency: options.concurrency }),
  });
  defer(test, () => store.close());
  return { store, http: new SignedHttp(shared), transport, waits, yielder };
}

export function settingsOf(settings: Partial<TransportSettings> = {}): TransportSettings {
  return {
    trusted: undefined,
    proxies: { http: undefined, https: undefined, no: '' },
    connections: 8,
    timeouts: { connect: 2000, firstByte: 20_000, stall: 20_000 },
    ...settings,
  };
}

/** A signal that is never aborted. */
export function patience(): AbortSignal {
  return new AbortController().signal;
}

/** The StoreError with which a promise rejects. Any other error is thrown. */
export async function failureOf(promise: Promise<unknown>): Promise<StoreError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof StoreError) return error;
    throw error;
  }
  throw new Error('it succeeded');
}

export async function read(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}
