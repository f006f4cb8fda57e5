import { knownEnvironments, namesOf } from '../../deploy/environments.ts';
import type { ReleaseStore } from '../../deploy/release-store.ts';
import type { Project } from './project-file.ts';

/**
 * Returns a note if an environment is the first of its name in a root that has other environments, because
 * the name may be a typing error. Returns undefined if the root has no others, or if the project lists its
 * environments.
 */
export async function newEnvironmentNote(
  environment: string,
  project: Project | undefined,
  store: ReleaseStore,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (project?.environments !== undefined) return undefined;
  const others = namesOf(
    ((await knownEnvironments(store, signal)) ?? []).filter((name) => name !== environment),
  );
  return others === undefined
    ? undefined
    : `${environment} is a new environment of this root, which has ${others}`;
}
