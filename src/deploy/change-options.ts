import type { ReleasePayload } from '../release/index.ts';
import type { StepSetting } from './take-step.ts';

/** What people are told of a step. */
export type StepWords = Pick<ReleasePayload, 'author' | 'message' | 'commit' | 'url' | 'notBefore'>;

/** What every change of an environment is given. */
export interface ChangeOptions extends StepSetting {
  readonly words: StepWords;
  /** Whether more than half of the files may go. */
  readonly allowDeletions: boolean;
}
