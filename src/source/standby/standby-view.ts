/** Where trees are read from, for status, metrics and events. Times are milliseconds since the epoch. */
export interface StandbyView {
  /** `s3://BUCKET/PREFIX/` of the standby that is read from, or would be. */
  readonly source: string;
  /** Whether trees are read from it. */
  readonly isActive: boolean;
  /** Since when; undefined while trees are read from the first store. */
  readonly since: number | undefined;
  /** The last daily request to it while the first store answered. Undefined until one has ended. */
  readonly checked: { readonly at: number; readonly error: string | undefined } | undefined;
  /** Why trees are still read from it although the first store, which is behind, answers again. */
  readonly firstIsBehind: string | undefined;
}
