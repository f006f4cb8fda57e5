import type { ReleasePayload } from '../release/index.ts';
import type { StepSetting } from './take-step.ts';

/** The fields of a step that describe it for people, and the time before which it must not be shown. */
export type StepWords = Pick<ReleasePayload, 'author' | 'message' | 'commit' | 'url' | 'notBefore'>;

/** The options that deploy, promote and rollback share. */
export interface ChangeOptions extends StepSetting {
  readonly words: StepWords;
  /** Whether more than half of the files may be removed. */
  readonly allowDeletions: boolean;
}
