import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3';
import { printable } from '../../base/printable.ts';
import { SettingError } from '../setting-error.ts';
import { StoreError } from '../store-error.ts';

type Sdk = typeof import('@aws-sdk/client-s3');

/** Where the SDK would send ListObjectsV2, and with which scope it would sign it. */
export interface CapturedRequest {
  readonly protocol: string;
  readonly hostname: string;
  readonly port: number | undefined;
  readonly path: string;
  readonly region: string;
  readonly service: string;
}

/** Credentials for requests that are built but never sent. */
const NOBODY = { accessKeyId: 'NOBODY', secretAccessKey: 'nothing' };
const SCOPE = /Credential=NOBODY\/\d{8}\/([^/]+)\/([^/]+)\/aws4_request/;

/**
 * Lets the SDK build a request, and captures the request before it is sent. Only the SDK knows endpoint
 * rules, configuration files, ARNs and aliases. Uses no network.
 *
 * @throws {SettingError} if the SDK finds no endpoint for this bucket
 * @throws {StoreError} bad-request: an unsupported kind of bucket
 */
export async function captureRequest(
  sdk: Sdk,
  config: S3ClientConfig,
  bucket: string,
): Promise<CapturedRequest> {
  let captured: CapturedRequest | undefined;
  const client: S3Client = new sdk.S3Client({
    ...config,
    credentials: NOBODY,
    maxAttempts: 1,
    requestHandler: {
      handle: async (request: SentRequest) => {
        captured ??= requestOf(request);
        throw new Captured();
      },
    } as unknown as NonNullable<S3ClientConfig['requestHandler']>,
  });
  try {
    await client.send(new sdk.ListObjectsV2Command({ Bucket: bucket }));
  } catch (error) {
    if (captured === undefined) throw unservable(bucket, error);
  } finally {
    client.destroy();
  }
  if (captured === undefined) throw unservable(bucket, undefined);
  if (captured.service === 's3express') {
    throw new StoreError(
      'bad-request',
      `${bucket} is a directory bucket (S3 Express One Zone), which lists out of order and signs by sessions`,
      'Mount a general purpose bucket.',
      false,
    );
  }
  return captured;
}

class Captured extends Error {}

/** The relevant fields of the SDK's HttpRequest. */
interface SentRequest {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

function requestOf(request: SentRequest): CapturedRequest | undefined {
  const [, region, service] = SCOPE.exec(request.headers.authorization ?? '') ?? [];
  if (region === undefined || service === undefined) return undefined;
  const { protocol, hostname, port, path } = request;
  return { protocol, hostname, port, path, region, service };
}

function unservable(bucket: string, error: unknown): SettingError {
  const why = error instanceof Error ? `: ${printable(error.message, 500)}` : '';
  return new SettingError(
    'bad-setting',
    `no endpoint can be worked out for ${bucket}${why}`,
    'Check the bucket or ARN, --region, --endpoint-url and --force-path-style.',
    error,
  );
}
