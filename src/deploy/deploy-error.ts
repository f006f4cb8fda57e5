import { CodedError } from '../base/coded-error.ts';

/**
 * - `overtaken`: another step was taken meanwhile, and this one cannot be taken on top of it
 * - `armed`: the previous step waits for its time
 * - `put-back`: the ref is older than the log, because an earlier ref was restored
 * - `other-root`: the previous step belongs to another release root
 * - `log-differs`: the log has another step under a sequence number than the ref
 * - `write-refused`: the store rejects a conditional write although there was no other writer
 * - `invalid-step`: the step's texts are invalid, so no reader would accept the step
 * - `unconditional-store`: the store ignores the conditions of writes
 * - `no-such-release`: the named release does not exist
 * - `check-failed`: a check rejected the files
 * - `unsigned`: a signature is required but cannot be made
 * - `unusable-source`: a named file or directory cannot be deployed
 */
export type DeployErrorCode =
  | 'overtaken'
  | 'armed'
  | 'put-back'
  | 'other-root'
  | 'log-differs'
  | 'write-refused'
  | 'invalid-step'
  | 'unconditional-store'
  | 'no-such-release'
  | 'check-failed'
  | 'unsigned'
  | 'unusable-source';

/** Nothing was deployed. The message says what is wrong; the hint says what to do. */
export class DeployError extends CodedError<DeployErrorCode> {
  override readonly name = 'DeployError';
}

/** Returns the error for a log whose entry is another step than the one that follows it, or the ref, names. */
export function logDiffers(environment: string, sequence: number): DeployError {
  return new DeployError(
    'log-differs',
    `the log of ${environment} has another step ${sequence} than its ref`,
    'Check which accounts can write below the release root; keep both objects, and remove the one that is not signed.',
  );
}
