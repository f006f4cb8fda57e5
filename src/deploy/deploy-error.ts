import { CodedError } from '../base/coded-error.ts';

/**
 * - `overtaken`: another step was taken meanwhile, and this one cannot be taken on top of it
 * - `armed`: the step before waits for its time
 * - `put-back`: the ref is older than the log: somebody put an earlier one back
 * - `log-differs`: the log has another step under a sequence number than the ref
 * - `write-refused`: the store refuses a write by its condition, though no other writer was there
 * - `invalid-step`: what is said with a step cannot be written down: no reader would accept it
 * - `unconditional-store`: the store does not heed conditions of writes
 * - `no-such-release`: what is named is not there
 * - `check-failed`: a check found the files not fit to be deployed
 * - `unsigned`: a signature was asked for and cannot be made
 * - `unusable-source`: a file or directory that was named cannot be deployed
 */
export type DeployErrorCode =
  | 'overtaken'
  | 'armed'
  | 'put-back'
  | 'log-differs'
  | 'write-refused'
  | 'invalid-step'
  | 'unconditional-store'
  | 'no-such-release'
  | 'check-failed'
  | 'unsigned'
  | 'unusable-source';

/** Why nothing was deployed: one sentence of what is wrong, one of what to do. */
export class DeployError extends CodedError<DeployErrorCode> {
  override readonly name = 'DeployError';
}
