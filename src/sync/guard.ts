export interface GuardRules {
  /** Share of the files that may go, 0 to 1; 1 lets all go but the last. */
  readonly maxDelete: number;
  /** Whether a tree without any file may follow one with files. */
  readonly allowEmpty: boolean;
}

export type GuardReason = 'mass-deletion' | 'empty';

export type Judgement =
  | { readonly pass: true }
  | { readonly pass: false; readonly reason: GuardReason; readonly detail: string };

/** Below this many files a share says nothing. */
const SMALLEST_TREE = 10;
/** 1 - 0.7 is a little more than 0.3: of ten files three may be left. */
const ROUNDING = 1e-9;

/**
 * The stage "guard": whether a tree of `files` may follow, where the last hour had at most `peak`. An empty or
 * mutilated listing makes Airflow deactivate every DAG within a second, so it waits for somebody to accept it.
 */
export function judge(files: number, peak: number, rules: GuardRules): Judgement {
  if (files === 0 && peak > 0 && !rules.allowEmpty) {
    return {
      pass: false,
      reason: 'empty',
      detail: `The listing shows no file, where the last hour had ${peak}.`,
    };
  }
  if (peak >= SMALLEST_TREE && files < (1 - rules.maxDelete - ROUNDING) * peak) {
    const share = Math.round(rules.maxDelete * 100);
    return {
      pass: false,
      reason: 'mass-deletion',
      detail: `The listing shows ${files} files, where the last hour had ${peak}: more than ${share} % are gone.`,
    };
  }
  return { pass: true };
}
