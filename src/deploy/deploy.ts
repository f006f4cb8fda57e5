import { printableName } from '../base/printable.ts';
import { findConflict, type ReleasedFile } from '../release/index.ts';
import type { ChangeOptions } from './change-options.ts';
import { type Condemned, isAnyCondemned } from './condemned.ts';
import { overtakenBy, type Standing, type TakenStep } from './current-step.ts';
import { DeployError } from './deploy-error.ts';
import { compareFiles, countsOf, type FileChanges, isNothing, touchedPaths } from './file-changes.ts';
import { comparedStep, isArmed, stepInForce } from './in-force.ts';
import { refuseMassDeletion } from './mass-deletion.ts';
import { isUnusable, readFiles } from './read-release.ts';
import { isRemovedBy, removedFiles } from './removed-files.ts';
import type { SourceFile } from './source-files.ts';
import { type StepProposal, takeStep } from './take-step.ts';
import { type PlannedFile, type Uploaded, type UploadOptions, upload } from './upload.ts';

/** What is deployed: a whole tree, or some files on top of the current tree. */
export type Deployed =
  | { readonly kind: 'tree'; readonly files: readonly SourceFile[] }
  | { readonly kind: 'files'; readonly files: readonly SourceFile[]; readonly removed: readonly string[] };

export interface DeployOptions extends ChangeOptions {
  /**
   * Checks the resulting tree before anything is written; rejects with `check-failed` if it must not be
   * deployed. Called again if another deploy has changed the tree meanwhile. `standing` has the step in force.
   */
  readonly check: (files: readonly PlannedFile[], changes: FileChanges, standing: Standing) => Promise<void>;
  /**
   * Whether to write all content anew, as if the store had none: for a tree whose packs or manifest in the
   * store are missing or damaged. Only for a whole tree.
   */
  readonly uploadAll?: boolean | undefined;
  readonly onProgress?: UploadOptions['onProgress'];
}

export type DeployEnd =
  | {
      readonly kind: 'deployed';
      readonly step: TakenStep;
      readonly changes: FileChanges;
      readonly uploaded: Uploaded;
    }
  /** The environment already shows exactly these files. */
  | { readonly kind: 'unchanged'; readonly standing: Standing };

/**
 * Deploys a whole tree, or files on top of the tree in force. A step that waits for its instant is replaced:
 * the new step does not contain its changes. If another step is taken meanwhile, the files are put on top of
 * that step, unless that step changed the same paths. A whole tree is then refused, because it would revert
 * the other step.
 *
 * @throws {DeployError}, {ReleaseError}, {StoreError}
 */
export async function deploy(deployed: Deployed, options: DeployOptions): Promise<DeployEnd> {
  const { store, environment, words, now, signal, uploadAll = false } = options;
  let first: { readonly standing: Standing; readonly files: readonly ReleasedFile[] } | undefined;
  let last: { readonly changes: FileChanges; readonly uploaded: Uploaded } | undefined;
  const propose = async (standing: Standing, condemned: Condemned): Promise<StepProposal> => {
    const replacesArmed = isArmed(standing.step, now());
    // A whole tree needs no step to be put upon.
    const findStep = deployed.kind === 'tree' ? comparedStep : stepInForce;
    const inForce = await findStep(store, environment, standing, now(), signal);
    const current = await readFiles(store, { step: inForce }, signal).catch((error: unknown) => {
      if (uploadAll && isUnusable(error)) return [];
      throw error;
    });
    if (first !== undefined) refuseOvertaken(deployed, first, { standing, files: current }, replacesArmed);
    first ??= { standing, files: current };
    const files = filesOf(deployed, current);
    const changes = compareFiles(current, files);
    // The objects of a release that was collected are written anew, also if its files do not change.
    const isKept = inForce !== undefined && !isAnyCondemned(condemned, inForce.payload, current);
    if (isNothing(changes) && standing.etag !== undefined && !uploadAll && !replacesArmed && isKept)
      throw new Unchanged(standing);
    if (!options.allowDeletions) refuseMassDeletion(current.length, changes, TO_ADD);
    await options.check(files, changes, { ...standing, step: inForce });
    const uploaded = await upload(files, uploadAll ? [] : current, { ...options, condemned });
    last = { changes, uploaded };
    return {
      ...words,
      action: 'deploy',
      release: uploaded.release,
      manifest: uploaded.manifest,
      allowDeletions: options.allowDeletions,
      changes: countsOf(changes),
    };
  };
  try {
    const step = await takeStep({ ...options, uploadedAll: uploadAll, propose });
    return { kind: 'deployed', step, ...last! };
  } catch (error) {
    if (error instanceof Unchanged) return { kind: 'unchanged', standing: error.standing };
    throw error;
  }
}

/** A hint for users that named a directory, and may have meant to add files. */
const TO_ADD = 'to add files to the tree that is there, name files and not a directory';

class Unchanged extends Error {
  readonly standing: Standing;

  constructor(standing: Standing) {
    super('nothing to deploy');
    this.standing = standing;
  }
}

/**
 * Returns the files of the tree that results from a deploy.
 *
 * @throws {DeployError} `unusable-source` if a path to remove does not exist, or a path is both a file and a
 *   folder
 */
export function filesOf(deployed: Deployed, current: readonly ReleasedFile[]): readonly PlannedFile[] {
  const files = new Map<string, PlannedFile>();
  if (deployed.kind === 'files') for (const file of current) files.set(file.path, file);
  const removed = deployed.kind === 'files' ? deployed.removed : [];
  for (const path of removedFiles(removed, [...files.keys()])) files.delete(path);
  for (const file of deployed.files) files.set(file.path, file);
  const conflict = findConflict(files);
  if (conflict !== undefined) {
    const { folder, path } = conflict;
    throw deployed.files.some((file) => file.path === folder)
      ? unusable(folder, `the tree has a directory of that name, with ${printableName(path)}`)
      : unusable(path, `${printableName(folder)} is a file of the tree; remove that with --remove`);
  }
  return [...files.values()];
}

function refuseOvertaken(
  deployed: Deployed,
  before: { readonly standing: Standing; readonly files: readonly ReleasedFile[] },
  now: { readonly standing: Standing; readonly files: readonly ReleasedFile[] },
  replacesArmed: boolean,
): void {
  if (now.standing.step?.digest === before.standing.step?.digest) return;
  // --replace was meant for another step.
  if (replacesArmed) throw overtakenBy(now.standing, '', 'Look at that step, and decide again.');
  const theirs = touchedPaths(compareFiles(before.files, now.files));
  const both = [...theirs].filter((path) => isTouched(deployed, path));
  if (deployed.kind === 'files' && both.length === 0) return;
  const named = both.slice(0, 5).map((path) => printableName(path));
  const paths = both.length === 0 ? '' : `, with changes of ${named.join(', ')}`;
  throw overtakenBy(now.standing, paths, 'Bring their changes into yours, and deploy again.');
}

/** Whether this deploy sets or removes a path. */
function isTouched(deployed: Deployed, path: string): boolean {
  if (deployed.kind === 'tree') return true;
  const isOwn = deployed.files.some((file) => file.path === path);
  return isOwn || deployed.removed.some((one) => isRemovedBy(one, path));
}

function unusable(path: string, reason: string): DeployError {
  return new DeployError(
    'unusable-source',
    `cannot deploy ${printableName(path)}: ${reason}`,
    'See dagmount release show.',
  );
}
