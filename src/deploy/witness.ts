import { MOST_ENVELOPE_BYTES, ReleaseError, type ReleasePayload, releaseKeys } from '../release/index.ts';
import { readStep, type TakenStep } from './current-step.ts';
import { isUnusable, readManifest } from './read-release.ts';
import type { ReleaseStore, StoredObject } from './release-store.ts';

/**
 * Writes the envelope of a step as the witness of its release: the object by which a mount finds the release
 * as a version. A witness that is there stays, so that a version has the same mtimes on every node, unless it
 * is damaged, or its manifest is missing or damaged: then the version could not be loaded.
 *
 * @param uploadedAll whether the step wrote all content anew, because an operator knows that of the existing
 *   objects of the release some are damaged
 */
export async function writeWitness(
  store: ReleaseStore,
  { payload, bytes }: TakenStep,
  uploadedAll: boolean,
  signal: AbortSignal,
): Promise<void> {
  const key = releaseKeys.witness(payload.release, payload.environment);
  const { kind } = await store.create(key, bytes, signal);
  if (kind === 'written') return;
  const found = await store.read(key, MOST_ENVELOPE_BYTES, signal);
  if (found === undefined) return;
  const named = payloadOf(found);
  if (named?.release === payload.release) {
    if (named.manifest.sha256 === payload.manifest.sha256) return;
    if (!uploadedAll && (await isReadable(store, named, signal))) return;
  }
  // If another writer has replaced it meanwhile, that writer's step is as good.
  await store.replace(key, bytes, found.etag, signal);
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
