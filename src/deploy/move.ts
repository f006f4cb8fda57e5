import {
  type EnvelopeSignature,
  type ReleasedFile,
  type ReleasePayload,
  releaseKeys,
} from '../release/index.ts';
import type { Condemned } from './condemned.ts';
import { readLogEntry, readStanding, type Standing, type TakenStep } from './current-step.ts';
import type { StepWords } from './deploy.ts';
import { DeployError } from './deploy-error.ts';
import { compareFiles, type FileChanges } from './file-changes.ts';
import { readManifest } from './read-release.ts';
import type { ReleaseStore } from './release-store.ts';
import { takeStep } from './take-step.ts';

/** Which release an environment is to go back to. */
export type RollbackTarget =
  /** That of the step before the newest one. */
  | { readonly kind: 'previous' }
  | { readonly kind: 'sequence'; readonly sequence: number }
  | { readonly kind: 'release'; readonly id: string };

export interface MoveOptions {
  readonly store: ReleaseStore;
  readonly root: string;
  readonly environment: string;
  readonly words: StepWords;
  readonly allowDeletions: boolean;
  /** Whether a promotion may take the place of a step that waits for its time; a roll-back always may. */
  readonly mayReplaceArmed: boolean;
  readonly sign: (payload: Uint8Array) => Promise<readonly EnvelopeSignature[]>;
  readonly now: () => number;
  readonly pause: (tries: number, signal: AbortSignal) => Promise<void>;
  readonly signal: AbortSignal;
}

export interface Moved {
  readonly step: TakenStep;
  readonly changes: FileChanges;
}

/** Lets an environment show the release that another one shows: nothing is uploaded. */
export async function promote(from: string, options: MoveOptions): Promise<Moved> {
  const { step } = await readStanding(options.store, from, options.signal);
  if (step === undefined) throw missing(`${from} has no release`, 'Deploy to it first.');
  return move('promote', async () => step.payload, options);
}

/** Lets an environment show a release that it has shown before, by a new step: no number is used twice. */
export function rollback(target: RollbackTarget, options: MoveOptions): Promise<Moved> {
  return move('rollback', (standing) => findStep(target, standing, options), options);
}

async function move(
  action: 'promote' | 'rollback',
  find: (standing: Standing) => Promise<Pick<ReleasePayload, 'release' | 'manifest'>>,
  options: MoveOptions,
): Promise<Moved> {
  const { store, signal, words, allowDeletions } = options;
  let first: Standing | undefined;
  let changes: FileChanges | undefined;
  const step = await takeStep({
    ...options,
    mayReplaceArmed: options.mayReplaceArmed || action === 'rollback',
    propose: async (standing, condemned) => {
      // What somebody else deployed meanwhile was not seen by whoever asked for this.
      if (first !== undefined && first.step?.digest !== standing.step?.digest) throw overtaken(standing);
      first ??= standing;
      const { release, manifest } = await find(standing);
      const { files } = await readManifest(store, { release, manifest }, signal);
      refuseCondemned({ release, manifest }, files, condemned);
      const shown =
        standing.step === undefined ? [] : (await readManifest(store, standing.step.payload, signal)).files;
      changes = compareFiles(shown, files);
      return {
        ...words,
        action,
        release,
        manifest,
        allowDeletions,
        changes: {
          added: changes.added.length,
          changed: changes.changed.length,
          removed: changes.removed.length,
        },
      };
    },
  });
  return { step, changes: changes! };
}

/** What is about to be deleted can not be shown any more. */
function refuseCondemned(
  { release, manifest }: Pick<ReleasePayload, 'release' | 'manifest'>,
  files: readonly ReleasedFile[],
  condemned: Condemned,
): void {
  const keys = [
    releaseKeys.manifest(release, manifest.sha256),
    ...files.flatMap(({ place }) => (place === undefined ? [] : [releaseKeys.pack(place.pack)])),
  ];
  if (keys.some((key) => condemned.has(key))) {
    throw missing(`${release} was collected: it is about to be deleted`, 'Deploy it again from its source.');
  }
}

async function findStep(
  target: RollbackTarget,
  { step }: Standing,
  { store, environment, signal }: MoveOptions,
): Promise<ReleasePayload> {
  if (step === undefined) throw missing(`${environment} has no release`, 'Deploy to it first.');
  const newest = step.payload.sequence;
  if (target.kind === 'previous') return entryOf(newest - 1);
  if (target.kind === 'sequence') return target.sequence === newest ? step.payload : entryOf(target.sequence);
  for (let sequence = newest; sequence >= 1; sequence--) {
    const entry = sequence === newest ? step : await readLogEntry(store, environment, sequence, signal);
    if (entry?.payload.release === target.id) return entry.payload;
  }
  throw missing(`${environment} never showed ${target.id}`, `See dagmount releases ${environment}.`);

  async function entryOf(sequence: number): Promise<ReleasePayload> {
    const entry = await readLogEntry(store, environment, sequence, signal);
    if (entry !== undefined) return entry.payload;
    throw missing(`${environment} has no step ${sequence}`, `See dagmount releases ${environment}.`);
  }
}

function overtaken({ step }: Standing): DeployError {
  const { author, message, sequence } = step?.payload ?? { author: 'somebody', message: '', sequence: 0 };
  return new DeployError(
    'overtaken',
    `${author} deployed meanwhile (step ${sequence}: ${message.split('\n')[0]})`,
    'Look at that step, and decide again.',
  );
}

function missing(message: string, mend: string): DeployError {
  return new DeployError('no-such-release', message, mend);
}
