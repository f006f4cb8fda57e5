/** Where trees are read from, for status, metrics and events. Times are milliseconds since the epoch. */
export interface StandbyView {
  /** `s3://BUCKET/PREFIX/` of the one that is read from, or would be. */
  readonly source: string;
  /** Whether trees are read from it. */
  readonly isActive: boolean;
  /** Since when; undefined while the first is read from. */
  readonly since: number | undefined;
  /** The last request to it while the first was well: one a day. Undefined before the first of them has ended. */
  readonly checked: { readonly at: number; readonly error: string | undefined } | undefined;
  /** Why trees are still read from it though the first answers again: the first lacks what is newer here. */
  readonly firstIsBehind: string | undefined;
}
