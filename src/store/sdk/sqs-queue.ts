import type { SQSClient, SQSClientConfig } from '@aws-sdk/client-sqs';
import { printable } from '../../base/printable.ts';
import { type Credentials, type CredentialsProvider, withoutSecrets } from '../credentials.ts';
import { codeOfFailure, codeOfS3 } from '../error-codes.ts';
import { Transport } from '../http/transport.ts';
import type { TransportSettings } from '../http/transport-settings.ts';
import { SettingError } from '../setting-error.ts';
import { isRetryable, StoreError, type StoreErrorCode } from '../store-error.ts';
import { RenewedCredentials } from './renewed-credentials.ts';
import { sdkRequestHandler } from './transport.ts';

/** The longest wait that SQS allows. A receive that finds no message costs the same however long it waits. */
const WAIT_SECONDS = 20;
/**
 * For this time, SQS gives a received message to no other receiver. The message is deleted within this time.
 */
const HIDDEN_SECONDS = 60;
const MOST_MESSAGES = 10;
const DEFAULT_REGION = 'us-east-1';
/**
 * SQS's errors for unknown keys. A denial by policy is not one of them, because other keys would not help.
 */
const UNKNOWN_KEYS =
  /^(InvalidClientTokenId|UnrecognizedClient|InvalidAccessKeyId|SignatureDoesNotMatch|InvalidSecurity)/;

export interface SqsQueueOptions {
  /**
   * `https://sqs.REGION.amazonaws.com/ACCOUNT/NAME`, or the address of another service with the same
   * protocol.
   */
  readonly url: string;
  /** Used if the address names no region. */
  readonly region: string | undefined;
  readonly credentials: CredentialsProvider;
  readonly settings: TransportSettings;
}

interface Message {
  readonly body: string;
  readonly receipt: string;
}

/**
 * Opens a queue of SQS. Only this function loads the package of the SQS client, which need not be installed
 * if no queue is used.
 *
 * @throws {SettingError} bad-setting: the package is not installed
 */
export async function openSqsQueue(options: SqsQueueOptions): Promise<SqsQueue> {
  let sdk: typeof import('@aws-sdk/client-sqs');
  try {
    sdk = await import('@aws-sdk/client-sqs');
  } catch (error) {
    throw new SettingError(
      'bad-setting',
      '--events takes the package @aws-sdk/client-sqs, which is not installed',
      'Install it beside dagmount (npm install --global @aws-sdk/client-sqs), or leave --events out.',
      { cause: error },
    );
  }
  return new SqsQueue(sdk, options);
}

export class SqsQueue {
  readonly mostMessages: number = MOST_MESSAGES;
  readonly #sdk: typeof import('@aws-sdk/client-sqs');
  readonly #url: string;
  readonly #transport: Transport;
  readonly #client: SQSClient;
  readonly #credentials: RenewedCredentials;

  constructor(
    sdk: typeof import('@aws-sdk/client-sqs'),
    { url, region, credentials, settings }: SqsQueueOptions,
  ) {
    this.#sdk = sdk;
    this.#url = url;
    const timeouts = { ...settings.timeouts, firstByte: (WAIT_SECONDS + 10) * 1000 };
    this.#transport = new Transport({ ...settings, timeouts });
    this.#credentials = new RenewedCredentials(credentials);
    const config: SQSClientConfig = {
      region: regionOf(url) ?? region ?? DEFAULT_REGION,
      endpoint: new URL(url).origin,
      maxAttempts: 1,
      credentials: this.#credentials.provide,
      requestHandler: sdkRequestHandler(this.#transport) as NonNullable<SQSClientConfig['requestHandler']>,
    };
    this.#client = new sdk.SQSClient(config);
  }

  async receive({
    waits,
    signal,
  }: {
    readonly waits: boolean;
    readonly signal: AbortSignal;
  }): Promise<readonly Message[]> {
    const command = new this.#sdk.ReceiveMessageCommand({
      QueueUrl: this.#url,
      MaxNumberOfMessages: MOST_MESSAGES,
      WaitTimeSeconds: waits ? WAIT_SECONDS : 0,
      VisibilityTimeout: HIDDEN_SECONDS,
    });
    const { Messages = [] } = await this.#told(this.#client.send(command, { abortSignal: signal }));
    return Messages.flatMap(({ Body, ReceiptHandle }) =>
      ReceiptHandle === undefined ? [] : [{ body: Body ?? '', receipt: ReceiptHandle }],
    );
  }

  async delete(messages: readonly Message[], signal: AbortSignal): Promise<void> {
    for (let start = 0; start < messages.length; start += MOST_MESSAGES) {
      const batch = messages.slice(start, start + MOST_MESSAGES);
      const command = new this.#sdk.DeleteMessageBatchCommand({
        QueueUrl: this.#url,
        Entries: batch.map(({ receipt }, at) => ({ Id: String(at), ReceiptHandle: receipt })),
      });
      await this.#told(this.#client.send(command, { abortSignal: signal }));
    }
  }

  async close(): Promise<void> {
    this.#client.destroy();
    await this.#transport.close();
  }

  async #told<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      const told = queueError(error, this.#credentials.given);
      const isRefused = told.code === 'expired' || UNKNOWN_KEYS.test(nameOf(error));
      if (isRefused) this.#credentials.refused();
      throw told;
    }
  }
}

function regionOf(url: string): string | undefined {
  const { hostname } = new URL(url);
  const [, region] = /(?:^|\.)sqs(?:-fips)?\.([a-z0-9-]+)\.(?:vpce\.)?amazonaws\.com/.exec(hostname) ?? [];
  return region ?? /^([a-z0-9-]+)\.queue\.amazonaws\.com/.exec(hostname)?.[1];
}

function nameOf(error: unknown): string {
  const { name } = error as { readonly name?: unknown };
  return typeof name === 'string' ? name : '';
}

/**
 * Converts an error of the SDK, by names and codes. The cause is dropped, because it may hold credentials.
 */
function queueError(error: unknown, credentials: Credentials | undefined): StoreError {
  if (error instanceof StoreError) return error;
  const { name, message, code, $metadata } = error as {
    readonly name?: unknown;
    readonly message?: unknown;
    readonly code?: unknown;
    readonly $metadata?: { readonly httpStatusCode?: number };
  };
  const said = `${String(name)}: ${String(message)}`;
  const words = printable(withoutSecrets(said, credentials), 300);
  const status = $metadata?.httpStatusCode;
  const kind = kindOf(nameOf(error), status, typeof code === 'string' ? code : '');
  return new StoreError(
    kind,
    `the queue of events: ${words}`,
    'Check --events, and that the role may sqs:ReceiveMessage and sqs:DeleteMessage on the queue.',
    isRetryable(kind),
  );
}

function kindOf(name: string, status: number | undefined, code: string): StoreErrorCode {
  if (status === undefined) return codeOfFailure(code);
  return codeOfS3(name.replace(/Exception$/, ''), status);
}
