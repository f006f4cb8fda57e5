import type { Pauses, RetryPolicy } from './retry-policies.ts';

/**
 * Returns how many milliseconds to wait after this many tries (1 or more). `mostMs` is the longest random
 * pause if the policy defines none.
 */
export function pauseAfter(pauses: Pauses, tries: number, random: number, mostMs = 0): number {
  switch (pauses.kind) {
    case 'none':
      return 0;
    case 'growing': {
      const longest = Math.min(pauses.longestMs, pauses.firstMs * 2 ** (tries - 1));
      return longest * (1 - pauses.jitter + pauses.jitter * random);
    }
    case 'random': {
      const most = pauses.mostMs ?? mostMs;
      const least = Math.min(pauses.leastMs, most);
      return least + random * (most - least);
    }
    default:
      return pauses satisfies never;
  }
}

export interface Retrying {
  readonly policy: Pick<RetryPolicy, 'tries' | 'pauses'>;
  /**
   * Whether another try may help after the failure of try number `tries`. It may throw an error, to be
   * reported instead.
   */
  readonly mayRepair: (error: unknown, tries: number) => boolean;
  /**
   * Waits. Rejects, or resolves early, when the caller stops waiting. Not called if the policy has no pauses.
   */
  readonly sleep: (ms: number) => Promise<unknown>;
  readonly random: () => number;
}

/** Retries until a try succeeds. Rejects with the last error if another try cannot help, or all tries were made. */
export async function retry<T>(
  attempt: (tries: number) => Promise<T>,
  { policy, mayRepair, sleep, random }: Retrying,
): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt(tries);
    } catch (error) {
      if (!mayRepair(error, tries) || tries >= policy.tries) throw error;
    }
    if (policy.pauses.kind !== 'none') await sleep(pauseAfter(policy.pauses, tries, random()));
  }
}

/** retry() for a policy without pauses. */
export function retryAtOnce<T>(
  attempt: () => Promise<T>,
  policy: { readonly tries: number; readonly pauses: { readonly kind: 'none' } },
  mayRepair: (error: unknown) => boolean,
): Promise<T> {
  return retry(attempt, { policy, mayRepair, sleep: async () => undefined, random: () => 0 });
}
