import type { Credentials } from '../../store/credentials.ts';
import type { RequestObserver } from '../../store/http/request-observer.ts';
import type { TransportSettings } from '../../store/http/transport-settings.ts';
import type { ListingNotice } from '../../store/listing/listing.ts';
import type { ResolvedTarget } from '../../store/resolved-target.ts';
import { StoreError, type StoreErrorCode } from '../../store/store-error.ts';
import type {
  AdoptedObjects,
  FilterPatterns,
  GenerationChanges,
  Problem,
  ProblemReason,
} from '../../tree/index.ts';
import type { Listed } from '../source.ts';

/** What the listing worker is told first: it starts before this is known. */
export interface ListingSetUp {
  readonly target: ResolvedTarget;
  readonly transport: TransportSettings;
  /** `executable`: of files that have the execute bits. */
  readonly patterns: FilterPatterns & { readonly executable: readonly string[] };
  readonly salt: bigint;
}

/** An error on its way between threads, which keep neither its class nor its fields. */
export type CarriedError =
  | {
      readonly kind: 'store';
      readonly code: StoreErrorCode;
      readonly detail: string;
      readonly hint: string;
      readonly retryable: boolean;
    }
  | { readonly kind: 'other'; readonly message: string; readonly stack: string | undefined };

export interface CarriedBuild {
  readonly generation: SharedArrayBuffer;
  readonly changes: GenerationChanges | undefined;
  readonly problems: readonly Problem[];
  readonly unnamedProblems: ReadonlyMap<ProblemReason, number>;
  readonly nextNodeId: number;
}

export type ToListing =
  | { readonly kind: 'set-up'; readonly setUp: ListingSetUp }
  | { readonly kind: 'list'; readonly id: number }
  | {
      readonly kind: 'build';
      readonly id: number;
      readonly previous: SharedArrayBuffer | undefined;
      readonly removedDirectories: ReadonlyMap<string, number>;
      readonly nextNodeId: number;
      readonly adopted: AdoptedObjects;
    }
  | { readonly kind: 'abort'; readonly id: number }
  | { readonly kind: 'credentials'; readonly id: number; readonly credentials: Credentials }
  | { readonly kind: 'no-credentials'; readonly id: number; readonly error: CarriedError };

export type FromListing =
  | { readonly kind: 'listed'; readonly id: number; readonly listed: Listed }
  | { readonly kind: 'built'; readonly id: number; readonly built: CarriedBuild }
  | { readonly kind: 'failed'; readonly id: number; readonly error: CarriedError }
  | { readonly kind: 'ask-credentials'; readonly id: number; readonly renew: boolean }
  /** What went to the store and came from it since the last of these. */
  | {
      readonly kind: 'observed';
      readonly requests: readonly Parameters<RequestObserver['request']>[];
      readonly bytes: number;
    }
  | { readonly kind: 'notice'; readonly notice: ListingNotice; readonly message: string };

export function carry(error: unknown): CarriedError {
  if (error instanceof StoreError) {
    const { code, detail, hint, retryable } = error;
    return { kind: 'store', code, detail, hint, retryable };
  }
  if (error instanceof Error) return { kind: 'other', message: error.message, stack: error.stack };
  return { kind: 'other', message: String(error), stack: undefined };
}

export function uncarry(carried: CarriedError): Error {
  if (carried.kind === 'store') {
    return new StoreError(carried.code, carried.detail, carried.hint, carried.retryable);
  }
  const error = new Error(carried.message);
  if (carried.stack !== undefined) error.stack = carried.stack;
  return error;
}
