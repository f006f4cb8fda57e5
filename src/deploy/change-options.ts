import type { ReleasePayload } from '../release/index.ts';
import type { StepSetting } from './take-step.ts';

/** A step's description for people. */
export type StepWords = Pick<ReleasePayload, 'author' | 'message' | 'commit' | 'url' | 'notBefore'>;

/** Options of every change of an environment. */
export interface ChangeOptions extends StepSetting {
  readonly words: StepWords;
  /** Whether more than half of the files may be removed. */
  readonly allowDeletions: boolean;
}
