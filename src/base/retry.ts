import type { Pauses, RetryPolicy } from './retry-policies.ts';

/** Milliseconds to wait after so many tries (1 and more). `mostMs`: where a random pause has no longest of its own. */
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
  /** Whether another try may repair what this one, the `tries`th, failed with; may throw what is to be told instead. */
  readonly mayRepair: (error: unknown, tries: number) => boolean;
  /** Rejects, or returns early, when nobody waits any more. Not asked where the pause is none. */
  readonly sleep: (ms: number) => Promise<unknown>;
  readonly random: () => number;
}

/** Tries until it succeeds, another try is of no use, or all tries were made: then it rejects with the last error. */
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

/** The same, for a policy without pauses. */
export function retryAtOnce<T>(
  attempt: () => Promise<T>,
  policy: { readonly tries: number; readonly pauses: { readonly kind: 'none' } },
  mayRepair: (error: unknown) => boolean,
): Promise<T> {
  return retry(attempt, { policy, mayRepair, sleep: async () => undefined, random: () => 0 });
}
