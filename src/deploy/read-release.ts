import { createHash } from 'node:crypto';
import {
  decodeManifest,
  type Manifest,
  MOST_MANIFEST_BYTES,
  type ReleasedFile,
  ReleaseError,
  type ReleasePayload,
  releaseKeys,
} from '../release/index.ts';
import type { Standing } from './current-step.ts';
import { DeployError } from './deploy-error.ts';
import type { ReleaseStore } from './release-store.ts';

const UPLOAD_AGAIN = 'Deploy the whole tree from its source with --upload-all.';

/**
 * Reads the manifest that a step names. Accepts it only if its bytes have the named digest, and its files
 * have the id of the release.
 *
 * @throws {ReleaseError} `mismatch` if the object is another or is malformed; {DeployError} `no-such-release`
 *   if there is no object; {StoreError}
 */
export async function readManifest(
  store: ReleaseStore,
  { release, manifest }: Pick<ReleasePayload, 'release' | 'manifest'>,
  signal: AbortSignal,
): Promise<Manifest> {
  const key = releaseKeys.manifest(release, manifest.sha256);
  try {
    const object = await store.read(key, MOST_MANIFEST_BYTES, signal);
    if (object === undefined) {
      throw new DeployError('no-such-release', `there is no ${key}`, UPLOAD_AGAIN);
    }
    requireDigest(object.bytes, manifest.sha256, key);
    const read = decodeManifest(object.bytes);
    if (read.id !== release) throw mismatch(key, `its files are those of ${read.id}`);
    return read;
  } catch (error) {
    if (!(error instanceof ReleaseError) || error.code === 'mismatch') throw error;
    throw mismatch(key, error.message);
  }
}

/** Returns whether an error means that an object is missing or damaged. False if the store does not answer. */
export function isUnusable(error: unknown): boolean {
  return error instanceof ReleaseError || (error instanceof DeployError && error.code === 'no-such-release');
}

/** For catch(): returns undefined if an object is missing or damaged, and throws any other error again. */
export function unlessUnusable(error: unknown): undefined {
  if (isUnusable(error)) return undefined;
  throw error;
}

/** Returns the files that an environment shows; none before its first step. */
export async function readFiles(
  store: ReleaseStore,
  { step }: Pick<Standing, 'step'>,
  signal: AbortSignal,
): Promise<readonly ReleasedFile[]> {
  return step === undefined ? [] : (await readManifest(store, step.payload, signal)).files;
}

/**
 * Reads the content of a file of a release, from its pack.
 *
 * @throws {ReleaseError} `mismatch` if the content is damaged; {DeployError} `no-such-release` if there is no
 *   pack; {StoreError}
 */
export async function readContent(
  store: ReleaseStore,
  { path, size, sha256, place }: ReleasedFile,
  signal: AbortSignal,
): Promise<Uint8Array> {
  if (place === undefined) return new Uint8Array();
  const key = releaseKeys.pack(place.pack);
  const bytes = await store.readRange(key, place.offset, size, signal);
  if (bytes === undefined) {
    throw new DeployError(
      'no-such-release',
      `there is no ${key}, which has the content of ${path}`,
      UPLOAD_AGAIN,
    );
  }
  const what = `${path} in ${key}`;
  if (bytes.length < size) throw mismatch(what, `the pack has ${bytes.length} of its ${size} bytes`);
  requireDigest(bytes, sha256, what);
  return bytes;
}

function requireDigest(bytes: Uint8Array, sha256: string, what: string): void {
  const found = createHash('sha256').update(bytes).digest('hex');
  if (found !== sha256) throw mismatch(what, `its SHA-256 is ${found}`);
}

function mismatch(what: string, found: string): ReleaseError {
  return new ReleaseError(
    'mismatch',
    `${what} is not what the release names: ${found}`,
    `Check which accounts can write below the release root. ${UPLOAD_AGAIN}`,
  );
}
