import { isEnvironment, releaseKeys } from '../release/index.ts';
import { StoreError } from '../store/store-error.ts';
import { DeployError } from './deploy-error.ts';
import type { ReleaseStore } from './release-store.ts';

/** How many environments a sentence names at most. */
const MOST_NAMED = 10;

/** Returns the environments of a root that have a ref, in the order of their names. */
export async function listRefs(store: ReleaseStore, signal: AbortSignal): Promise<readonly string[]> {
  const names = (await store.list(releaseKeys.refs, signal)).map(
    (key) => /^refs\/([^/]+)\.json$/.exec(key)?.[1],
  );
  return names.filter((name) => name !== undefined).filter(isEnvironment);
}

/**
 * Returns the environments of a root, for a hint; undefined if the store fails to list them. A missing hint
 * must not make a command fail whose step is already taken.
 */
export async function knownEnvironments(
  store: ReleaseStore,
  signal: AbortSignal,
): Promise<readonly string[] | undefined> {
  try {
    return await listRefs(store, signal);
  } catch (error) {
    if (error instanceof StoreError) return undefined;
    throw error;
  }
}

/** Returns the names of environments for a sentence; undefined if there are none. */
export function namesOf(environments: readonly string[]): string | undefined {
  if (environments.length === 0) return undefined;
  const named = environments.slice(0, MOST_NAMED).join(', ');
  const more = environments.length - MOST_NAMED;
  return more > 0 ? `${named} and ${more} more` : named;
}

/**
 * Returns the error for an environment without a step. Its name may be a typing error, so the error lists the
 * existing environments.
 */
export async function noRelease(
  store: ReleaseStore,
  environment: string,
  signal: AbortSignal,
): Promise<DeployError> {
  const known = await knownEnvironments(store, signal);
  const names = namesOf(known ?? []);
  const none = known === undefined ? '' : ', or check --to: this root has no environment';
  return new DeployError(
    'no-such-release',
    `environment ${environment} has no release`,
    names === undefined
      ? `Deploy to it first${none}.`
      : `Name one that this root has (${names}), or deploy to it first.`,
  );
}
