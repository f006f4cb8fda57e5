import { type ReleasedFile, type ReleasePayload, wasWithdrawn } from '../release/index.ts';
import type { ChangeOptions } from './change-options.ts';
import { type Condemned, isAnyCondemned } from './condemned.ts';
import { overtakenBy, readLogEntry, readStanding, type Standing, type TakenStep } from './current-step.ts';
import { DeployError } from './deploy-error.ts';
import { noRelease } from './environments.ts';
import { compareFiles, countsOf, type FileChanges } from './file-changes.ts';
import { comparedStep, isArmed, stepInForce } from './in-force.ts';
import { refuseMassDeletion } from './mass-deletion.ts';
import { readFiles, readManifest } from './read-release.ts';
import { takeStep } from './take-step.ts';

/** The release to which an environment is rolled back. */
export type RollbackTarget =
  /**
   * The previous release: the last one in force that differs from the current one. While a step waits for its
   * instant, the release in force, so that the step is cancelled.
   */
  | { readonly kind: 'previous' }
  | { readonly kind: 'sequence'; readonly sequence: number }
  /** An id, or its first characters. */
  | { readonly kind: 'release'; readonly id: string };

export interface Moved {
  readonly step: TakenStep;
  readonly changes: FileChanges;
}

/** Makes an environment show the release that the environment `from` shows. Uploads nothing. */
export async function promote(from: string, options: ChangeOptions): Promise<Moved> {
  const { store, now, signal } = options;
  const standing = await readStanding(store, from, signal);
  if (standing.step === undefined) throw await noRelease(store, from, signal);
  const step = await stepInForce(store, from, standing, now(), signal);
  if (step === undefined) {
    throw missing(
      `environment ${from} shows no release yet: its first step waits for its instant`,
      'Promote the release after that instant.',
    );
  }
  return move('promote', async () => step.payload, options);
}

/**
 * Makes an environment show an earlier release again. This is a new step: no sequence number is used twice.
 */
export function rollback(target: RollbackTarget, options: ChangeOptions): Promise<Moved> {
  return move('rollback', (standing) => findStep(target, standing, options), options);
}

async function move(
  action: 'promote' | 'rollback',
  find: (standing: Standing) => Promise<Pick<ReleasePayload, 'release' | 'manifest' | 'commit'>>,
  options: ChangeOptions,
): Promise<Moved> {
  const { store, environment, now, signal, words, allowDeletions } = options;
  let first: Standing | undefined;
  let changes: FileChanges | undefined;
  let found: Awaited<ReturnType<typeof find>> | undefined;
  const step = await takeStep({
    ...options,
    // A roll-back also reverts a step that is not shown yet.
    mayReplaceArmed: options.mayReplaceArmed || action === 'rollback',
    propose: async (standing, condemned) => {
      // Another step was taken meanwhile, which the user has not seen.
      if (first !== undefined && first.step?.digest !== standing.step?.digest)
        throw overtakenBy(standing, '', 'Look at that step, and decide again.');
      first ??= standing;
      // What was found is what the user meant, also if the instant of a step that waits passes meanwhile.
      found ??= await find(standing);
      const { release, manifest, commit } = found;
      const { files } = await readManifest(store, { release, manifest }, signal);
      refuseCondemned({ release, manifest }, files, condemned);
      const inForce = await comparedStep(store, environment, standing, now(), signal);
      const current = await readFiles(store, { step: inForce }, signal);
      changes = compareFiles(current, files);
      if (!allowDeletions) refuseMassDeletion(current.length, changes);
      return {
        ...words,
        // The commit belongs to the files, so it stays the same if another user moves the files to another
        // environment.
        commit: words.commit ?? commit,
        action,
        release,
        manifest,
        allowDeletions,
        changes: countsOf(changes),
      };
    },
  });
  return { step, changes: changes! };
}

/** Refuses a release whose manifest or packs are about to be deleted. */
function refuseCondemned(
  { release, manifest }: Pick<ReleasePayload, 'release' | 'manifest'>,
  files: readonly ReleasedFile[],
  condemned: Condemned,
): void {
  if (isAnyCondemned(condemned, { release, manifest }, files)) {
    throw missing(`${release} was collected: it is about to be deleted`, 'Deploy it again from its source.');
  }
}

async function findStep(
  target: RollbackTarget,
  standing: Standing,
  { store, environment, now, signal }: ChangeOptions,
): Promise<ReleasePayload> {
  const { step } = standing;
  if (step === undefined) throw await noRelease(store, environment, signal);
  const newest = step.payload.sequence;
  if (target.kind === 'sequence') return target.sequence === newest ? step.payload : entryOf(target.sequence);
  if (target.kind === 'previous' && isArmed(step, now())) {
    const inForce = await stepInForce(store, environment, standing, now(), signal);
    if (inForce !== undefined) return inForce.payload;
  }
  const isMeant = ({ payload }: TakenStep, next: TakenStep): boolean =>
    target.kind === 'previous'
      ? payload.release !== step.payload.release && !wasWithdrawn(payload, next.payload)
      : payload.release.startsWith(target.id);
  let next = step;
  for (let sequence = newest; sequence >= 1; sequence--) {
    const entry = sequence === newest ? step : await readLogEntry(store, environment, sequence, signal);
    if (entry === undefined) continue;
    if (isMeant(entry, next)) return entry.payload;
    next = entry;
  }
  const what = target.kind === 'previous' ? `another release than ${step.payload.release}` : target.id;
  throw missing(`environment ${environment} never showed ${what}`, `See dagmount releases ${environment}.`);

  async function entryOf(sequence: number): Promise<ReleasePayload> {
    const entry = await readLogEntry(store, environment, sequence, signal);
    if (entry !== undefined) return entry.payload;
    throw missing(
      `environment ${environment} has no step ${sequence}`,
      `See dagmount releases ${environment}.`,
    );
  }
}

function missing(message: string, hint: string): DeployError {
  return new DeployError('no-such-release', message, hint);
}
