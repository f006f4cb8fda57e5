import type { GuardRules } from './guard.ts';
import type { SyncNotice } from './notice.ts';
import type { Clock, ContentCachePort, Lister, Logger, Persister, Presenter } from './ports.ts';
import type { PrefetchLimits } from './prefetch-bound.ts';

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
  readonly lister: Lister;
  readonly cache: ContentCachePort;
  readonly presenter: Presenter;
  readonly persister: Persister;
  readonly clock: Clock;
  readonly log: Logger;
  readonly settleMs: number;
  /** Fetches at a time. */
  readonly concurrency: number;
  /** Called with the seconds that each stage took. */
  readonly observeStage: (stage: Stage, seconds: number) => void;
  /** Is told what happens. */
  readonly notice?: ((notice: SyncNotice) => void) | undefined;
}
