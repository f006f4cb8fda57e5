import { MOST_ENVELOPE_BYTES, ReleaseError, type ReleasePayload, releaseKeys } from '../release/index.ts';
import type { Condemned } from './condemned.ts';
import { readStep, type TakenStep } from './current-step.ts';
import { isUnusable, readManifest } from './read-release.ts';
import type { ReleaseStore, StoredObject } from './release-store.ts';

/** The objects of earlier steps that count as lost: those that are about to be deleted, or all of the release. */
export type LostObjects = Condemned | 'all';

/**
 * Writes the envelope of a step as the witness of its release: the object by which a mount finds the release
 * as a version. A witness that is there stays, so that a version has the same mtimes on every node, unless it
 * is damaged, or its manifest is lost or damaged: then the version could not be loaded.
 */
export async function writeWitness(
  store: ReleaseStore,
  step: TakenStep,
  lost: LostObjects,
  signal: AbortSignal,
): Promise<void> {
  const { release, environment, action } = step.payload;
  const key = releaseKeys.witness(release, environment);
  // The release of a roll-back has a witness already.
  if (action !== 'rollback' && (await store.create(key, step.bytes, signal)).kind === 'written') return;
  const found = await readUnlessTooLong(store, key, signal);
  if (found === 'too-long') return;
  if (found === undefined) await store.create(key, step.bytes, signal);
  // If another writer has replaced it meanwhile, that writer's step is as good.
  else if (!(await isUseful(store, found, step, lost, signal)))
    await store.replace(key, step.bytes, found.etag, signal);
}

async function isUseful(
  store: ReleaseStore,
  witness: StoredObject,
  { payload }: TakenStep,
  lost: LostObjects,
  signal: AbortSignal,
): Promise<boolean> {
  const named = payloadOf(witness);
  if (named?.release !== payload.release) return false;
  if (named.manifest.sha256 === payload.manifest.sha256) return true;
  if (lost === 'all' || lost.has(releaseKeys.manifest(named.release, named.manifest.sha256))) return false;
  return isReadable(store, named, signal);
}

/**
 * Reads a witness. One that is too long was not written by dagmount, and has no ETag here to be replaced by:
 * it must not keep the step out of the log.
 */
async function readUnlessTooLong(
  store: ReleaseStore,
  key: string,
  signal: AbortSignal,
): Promise<StoredObject | 'too-long' | undefined> {
  try {
    return await store.read(key, MOST_ENVELOPE_BYTES, signal);
  } catch (error) {
    if (error instanceof ReleaseError) return 'too-long';
    throw error;
  }
}

function payloadOf({ bytes }: StoredObject): ReleasePayload | undefined {
  try {
    return readStep(bytes).payload;
  } catch (error) {
    if (error instanceof ReleaseError) return undefined;
    throw error;
  }
}

async function isReadable(
  store: ReleaseStore,
  payload: ReleasePayload,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await readManifest(store, payload, signal);
    return true;
  } catch (error) {
    if (isUnusable(error)) return false;
    throw error;
  }
}
