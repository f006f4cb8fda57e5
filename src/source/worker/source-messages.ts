import type { LogLineAt } from '../../base/log-events.ts';
import type { ShownSource } from '../../config/shown-source.ts';
import type { Credentials } from '../../store/credentials.ts';
import type { RequestObserver } from '../../store/http/request-observer.ts';
import type { TransportSettings } from '../../store/http/transport-settings.ts';
import type { ResolvedTarget } from '../../store/resolved-target.ts';
import { StoreError, type StoreErrorCode } from '../../store/store-error.ts';
import type { FilterPatterns, Generation } from '../../tree/index.ts';
import type { BuildOptions, Built, Look } from '../source.ts';
import type { FoundVersion } from '../version-source.ts';

/** What the first message to the source worker contains. The worker starts before these facts are known. */
export interface SourceSetUp {
  readonly target: ResolvedTarget;
  readonly transport: TransportSettings;
  /** `executable`: the patterns of files that have the execute bits. */
  readonly patterns: FilterPatterns & { readonly executable: readonly string[] };
  readonly salt: bigint;
  readonly shown: ShownSource;
}

/**
 * An error in the form in which it is sent between threads, because the transfer of an Error keeps neither
 * its class nor its fields.
 */
export type CarriedError =
  | {
      readonly kind: 'store';
      readonly code: StoreErrorCode;
      readonly detail: string;
      readonly hint: string;
      readonly retryable: boolean;
    }
  | {
      readonly kind: 'other';
      readonly message: string;
      readonly stack: string | undefined;
      /** The code of the error, if it has one. */
      readonly code: string | undefined;
      readonly hint: string | undefined;
    };

export interface CarriedBuild extends Omit<Built, 'generation'> {
  readonly generation: Generation['buffer'];
}

export interface CarriedBuildOptions extends Omit<BuildOptions, 'previous' | 'signal'> {
  readonly previous: Generation['buffer'] | undefined;
}

export type CarriedVersion =
  | { readonly kind: 'found'; readonly generation: Generation['buffer'] }
  | Exclude<FoundVersion, { readonly kind: 'found' }>;

/** Questions to a source that get a reply. */
export type Question =
  | { readonly kind: 'look' }
  | { readonly kind: 'build'; readonly options: CarriedBuildOptions }
  | { readonly kind: 'accept'; readonly digest: string }
  | { readonly kind: 'version'; readonly id: string };

export type Reply =
  | { readonly kind: 'look'; readonly look: Look }
  | { readonly kind: 'build'; readonly built: CarriedBuild }
  | { readonly kind: 'accept'; readonly accepted: boolean }
  | { readonly kind: 'version'; readonly found: CarriedVersion };

export type ToSource =
  | { readonly kind: 'set-up'; readonly setUp: SourceSetUp }
  | { readonly kind: 'ask'; readonly id: number; readonly question: Question }
  | { readonly kind: 'abort'; readonly id: number }
  | { readonly kind: 'credentials'; readonly id: number; readonly credentials: Credentials }
  | { readonly kind: 'no-credentials'; readonly id: number; readonly error: CarriedError };

export type FromSource =
  | { readonly kind: 'reply'; readonly id: number; readonly reply: Reply }
  | { readonly kind: 'failed'; readonly id: number; readonly error: CarriedError }
  | { readonly kind: 'ask-credentials'; readonly id: number; readonly renew: boolean }
  /** Requests to the store since the last such message. */
  | {
      readonly kind: 'observed';
      readonly requests: readonly Parameters<RequestObserver['request']>[];
      readonly bytes: number;
    }
  | CarriedLine;

/** A line for the log. */
export type CarriedLine = {
  [Level in 'debug' | 'info' | 'warn' | 'error']: {
    readonly kind: 'line';
    readonly level: Level;
    readonly line: LogLineAt<Level>;
    readonly message: string;
  };
}['debug' | 'info' | 'warn' | 'error'];

export function carry(error: unknown): CarriedError {
  if (error instanceof StoreError) {
    const { code, detail, hint, retryable } = error;
    return { kind: 'store', code, detail, hint, retryable };
  }
  if (!(error instanceof Error)) {
    return { kind: 'other', message: String(error), stack: undefined, code: undefined, hint: undefined };
  }
  const { code, hint } = error as { readonly code?: unknown; readonly hint?: unknown };
  return {
    kind: 'other',
    message: error.message,
    stack: error.stack,
    code: typeof code === 'string' ? code : undefined,
    hint: typeof hint === 'string' ? hint : undefined,
  };
}

export function uncarry(carried: CarriedError): Error {
  if (carried.kind === 'store') {
    return new StoreError(carried.code, carried.detail, carried.hint, carried.retryable);
  }
  const { message, stack, code, hint } = carried;
  return Object.assign(new Error(message), {
    ...(stack !== undefined && { stack }),
    ...(code !== undefined && { code }),
    ...(hint !== undefined && { hint }),
  });
}
