import type { StoreErrorCode } from '../store-error.ts';
import type { Operation } from './answer-error.ts';

/** Observes requests to the store and their answers, for metrics. */
export interface RequestObserver {
  /**
   * One HTTP request was answered or failed. `milliseconds`: until the head of its answer, or its failure.
   */
  request(operation: Operation, outcome: 'ok' | StoreErrorCode, milliseconds: number): void;
  /** This many bytes of content or of listings have arrived. */
  bytes(count: number): void;
}
