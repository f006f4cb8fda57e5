import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { Source } from '../source/source.ts';
import type { GuardRules } from './deletion-guard.ts';
import type { FetchTarget } from './fetch-target.ts';
import type { SyncNotice } from './notice.ts';
import type { ContentCachePort, FetchPlanner, Persister, Presenter } from './ports.ts';
import type { PrefetchLimits } from './prefetch-bound.ts';
import type { Probe } from './unreadable/control.ts';

export type Stage =
  | 'list'
  | 'settle'
  | 'build'
  | 'guard'
  | 'prefetch'
  | 'persist'
  | 'swap'
  | 'notify'
  | 'retire';

export interface RevalidationOptions extends GuardRules, PrefetchLimits {
  readonly source: Source;
  readonly cache: ContentCachePort;
  readonly presenter: Presenter;
  readonly persister: Persister;
  readonly clock: Clock;
  readonly log: Logger;
  readonly settleMs: number;
  /** How long a tree waits for unreadable objects before it is shown without their content. */
  readonly unreadableWaitMs: number;
  /** Checks whether the store delivers other objects when one is unreadable. */
  readonly probe: Probe;
  /** Undefined if contents are fetched one by one. */
  readonly planner?: FetchPlanner | undefined;
  /** The maximum number of fetches at a time. */
  readonly concurrency: number;
  /** Called with the seconds that each stage took. */
  readonly observeStage: (stage: Stage, seconds: number) => void;
  /** Called when the first tree is about to be shown, because its other content is wanted next. */
  readonly onFirst?: ((target: FetchTarget) => void) | undefined;
  /** Called for each event. */
  readonly notice?: ((notice: SyncNotice) => void) | undefined;
}
