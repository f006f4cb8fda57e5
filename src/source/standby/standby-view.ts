/** Where trees are read from, for status, metrics and events. Times are milliseconds since the epoch. */
export interface StandbyView {
  /** `s3://BUCKET/PREFIX/` of the standby that is read from, or would be. */
  readonly source: string;
  /** Whether trees are read from the standby. */
  readonly isActive: boolean;
  /** Since when trees are read from the standby; undefined while they are read from the first store. */
  readonly since: number | undefined;
  /**
   * The last daily request to the standby while the first store answered. Undefined until one such request
   * has ended.
   */
  readonly checked: { readonly at: number; readonly error: string | undefined } | undefined;
  /** Why trees are still read from the standby although the first store, which is behind, answers again. */
  readonly firstIsBehind: string | undefined;
}
