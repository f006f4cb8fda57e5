import type { StoreErrorCode } from '../store-error.ts';
import type { Operation } from './answer-error.ts';

/** Told of what goes to the store and comes from it, for metrics. */
export interface RequestObserver {
  /** One request over the wire was answered, or failed; `milliseconds` to the head of its answer. */
  request(operation: Operation, outcome: 'ok' | StoreErrorCode, milliseconds: number): void;
  /** So many bytes of content or of listings have come. */
  bytes(count: number): void;
}
