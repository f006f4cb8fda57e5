import type { Clock } from '../base/clock.ts';
import type { Candidate } from '../source/source.ts';

export interface SettleOptions {
  readonly first: Candidate;
  /** 0: the first listing is taken. */
  readonly settleMs: number;
  readonly list: (signal: AbortSignal) => Promise<Candidate>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export interface Settling {
  /** `overdue`: the listing goes on changing, and was waited for long enough. */
  readonly kind: 'settled' | 'overdue';
  /** The newest. */
  readonly listed: Candidate;
}

/** Listings after which the newest is taken, however it differs, provided that enough time has passed. */
const MOST_LISTINGS = 3;
const MOST_INTERVALS = 10;

/**
 * The stage "settle": lists again after `settleMs` until two listings in a row are equal, so that a deploy of
 * many objects is published once. Goes on with the newest after 10 intervals or three listings, whichever is
 * later: an uploader that never pauses must not hold back everything for ever.
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
    // Counted a round, each of which takes settleMs at least: a clock that steps back must not prolong it.
    waited += Math.max(settleMs, clock.now() - before);
    if (listings >= MOST_LISTINGS && waited >= MOST_INTERVALS * settleMs)
      return { kind: 'overdue', listed: newest };
  }
}
