import { wasWithdrawn } from '../release/index.ts';
import { readLogEntry, type Standing, type TakenStep } from './current-step.ts';
import { DeployError } from './deploy-error.ts';
import type { ReleaseStore } from './release-store.ts';

/** Whether a step waits for its instant. `now`: milliseconds since the epoch. */
export function isArmed(step: TakenStep | undefined, now: number): boolean {
  return step?.payload.notBefore !== undefined && step.payload.notBefore > now;
}

/**
 * Returns the step that nodes show: the newest one, or, while that one waits for its instant, the one in force
 * before it. Undefined if the environment shows nothing yet.
 *
 * @throws {DeployError} `no-such-release` if the log lacks the step in force; {ReleaseError} if an entry of the
 *   log is invalid; {StoreError}
 */
export async function stepInForce(
  store: ReleaseStore,
  environment: string,
  { step }: Pick<Standing, 'step'>,
  now: number,
  signal: AbortSignal,
): Promise<TakenStep | undefined> {
  if (step === undefined || !isArmed(step, now)) return step;
  for (let later = step; ; ) {
    const { previous } = later.payload;
    if (previous === undefined) return undefined;
    const before = await readLogEntry(store, environment, previous.sequence, signal);
    if (before === undefined) {
      throw new DeployError(
        'no-such-release',
        `the log of ${environment} lacks step ${previous.sequence}, so it is unknown what nodes show until step ${step.payload.sequence}`,
        `See dagmount releases ${environment}.`,
      );
    }
    if (!wasWithdrawn(before.payload, later.payload)) return before;
    later = before;
  }
}
