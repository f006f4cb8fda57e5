import { ReleaseError, wasWithdrawn } from '../release/index.ts';
import { readLogEntry, type Standing, type TakenStep } from './current-step.ts';
import { DeployError, logDiffers } from './deploy-error.ts';
import type { ReleaseStore } from './release-store.ts';

/** Whether a step waits for its instant. `now`: milliseconds since the epoch. */
export function isArmed(step: TakenStep | undefined, now: number): boolean {
  return step?.payload.notBefore !== undefined && step.payload.notBefore > now;
}

/**
 * Returns the step with which a new step is compared: the one in force. If that one cannot be found, a step that
 * waits for its instant must still be replaceable: returns the newest step then.
 */
export async function comparedStep(
  ...[store, environment, standing, now, signal]: Parameters<typeof stepInForce>
): Promise<TakenStep | undefined> {
  try {
    return await stepInForce(store, environment, standing, now, signal);
  } catch (error) {
    if (error instanceof DeployError || error instanceof ReleaseError) return standing.step;
    throw error;
  }
}

/**
 * Returns the step that nodes show: the newest one, or, while that one waits for its instant, the one in force
 * before it. Undefined if the environment shows nothing yet.
 *
 * @throws {DeployError} `no-such-release` if the log lacks the step in force, `log-differs` if it has another one;
 *   {ReleaseError} if an entry of the log is invalid; {StoreError}
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
        `See dagmount releases ${environment}; dagmount rollback ${environment} --to STEP cancels the step that waits.`,
      );
    }
    if (before.digest !== previous.sha256) throw logDiffers(environment, previous.sequence);
    if (!wasWithdrawn(before.payload, later.payload)) return before;
    later = before;
  }
}
