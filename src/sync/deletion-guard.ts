export interface GuardRules {
  /**
   * How far the file count of a new tree may fall below the highest count of the last hour, as a share from 0
   * to 1. At 1, the guard refuses only an empty tree, unless `allowEmpty` is set.
   */
  readonly maxDelete: number;
  /** Whether an empty tree may follow one with files. */
  readonly allowEmpty: boolean;
}

export type GuardReason = 'mass-deletion' | 'empty';

export type Judgement =
  | { readonly pass: true }
  | { readonly pass: false; readonly reason: GuardReason; readonly detail: string };

/** If the highest count of the last hour is lower, the share is not checked. */
const SMALLEST_TREE = 10;
/** 1 - 0.7 is a little more than 0.3 in floating point: three of ten files must be allowed to remain. */
const ROUNDING = 1e-9;

/**
 * The stage "guard": judges whether a tree of `files` files may be shown, if trees of the last hour had at
 * most `peak` files. After an empty or mutilated listing Airflow deactivates every DAG within a second, so
 * such a tree waits for an operator to accept it.
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
