import type { Clock } from '../base/clock.ts';
import type { Candidate } from '../source/source.ts';

export interface SettleOptions {
  readonly first: Candidate;
  /** The time between two listings; 0: the first listing is used. */
  readonly settleMs: number;
  readonly list: (signal: AbortSignal) => Promise<Candidate>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export interface Settling {
  /** `overdue`: the listing kept changing until the limit. */
  readonly kind: 'settled' | 'overdue';
  /** The newest listing. */
  readonly listed: Candidate;
}

/**
 * If listings keep differing, the wait ends when both limits are reached: this many listings
 * (LEAST_LISTINGS), and LEAST_INTERVALS times `settleMs`.
 */
const LEAST_LISTINGS = 3;
const LEAST_INTERVALS = 10;

/**
 * The stage "settle": lists again after `settleMs` until two consecutive listings are equal, so that a deploy
 * of many objects is published once. If they keep differing, returns the newest one after 10 intervals or
 * three listings, whichever is later, because continuous uploads must not block publication for ever.
 */
export async function settle({ first, settleMs, list, clock, signal }: SettleOptions): Promise<Settling> {
  if (settleMs <= 0) return { kind: 'settled', listed: first };
  let newest = first;
  let waited = 0;
  for (let listings = 1; ; ) {
    const before = clock.now();
    await clock.sleep(settleMs, signal);
    const next = await list(signal);
    listings += 1;
    if (next.digest === newest.digest) return { kind: 'settled', listed: next };
    newest = next;
    // Counts at least settleMs for each round: a clock that steps back must not prolong the wait.
    waited += Math.max(settleMs, clock.now() - before);
    if (listings >= LEAST_LISTINGS && waited >= LEAST_INTERVALS * settleMs)
      return { kind: 'overdue', listed: newest };
  }
}
