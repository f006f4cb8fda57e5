import { createHash } from 'node:crypto';
import { decodeManifest, type Manifest, ReleaseError, releaseKeys } from '../../release/index.ts';
import type { Step } from './judge-step.ts';
import { findFarOff } from './manifest-columns.ts';
import { RefHeld } from './ref-hold.ts';
import type { ReleaseReader } from './release-reader.ts';

/**
 * Returns the files of the release that a step names, and where their bytes are. Reads no more bytes than the
 * step states for the manifest, and parses them only if they have the SHA-256 that the step names.
 *
 * @throws {RefHeld} `missing-manifest` or `damaged-manifest`; {StoreError} if the store fails
 */
export async function readManifest(
  reader: ReleaseReader,
  { payload, digest }: Step,
  signal: AbortSignal,
): Promise<Manifest> {
  const { release, manifest, sequence } = payload;
  const key = releaseKeys.manifest(release, manifest.sha256);
  const damaged = (reason: string): RefHeld =>
    new RefHeld(
      'damaged-manifest',
      key,
      `${key} is not what step ${sequence} names: ${reason}`,
      'Check which accounts can write below the release root, and deploy the whole tree from its source with --upload-all.',
      { sequence, release, digest },
    );
  const { look } = await reader.read(key, { most: manifest.size, signal });
  if (look.kind === 'absent') {
    throw new RefHeld(
      'missing-manifest',
      key,
      `${key}, which step ${sequence} names, is not in the store`,
      'A replica may still be behind: then this ends by itself. Else deploy the whole tree from its source with --upload-all.',
      { sequence, release, digest },
    );
  }
  if (look.kind !== 'read') throw damaged(`it has more than its ${manifest.size} bytes`);
  if (look.bytes.length !== manifest.size)
    throw damaged(`it has ${look.bytes.length} of its ${manifest.size} bytes`);
  const sha256 = createHash('sha256').update(look.bytes).digest('hex');
  if (sha256 !== manifest.sha256) throw damaged(`its SHA-256 is ${sha256}`);
  const read = decoded(look.bytes, damaged);
  if (read.id !== release) throw damaged(`its files are those of ${read.id}`);
  const far = findFarOff(read);
  if (far !== undefined) throw damaged(`${far.path} lies farther into a pack than packs reach`);
  return read;
}

function decoded(bytes: Uint8Array, damaged: (reason: string) => RefHeld): Manifest {
  try {
    return decodeManifest(bytes);
  } catch (error) {
    if (error instanceof ReleaseError) throw damaged(error.message);
    throw error;
  }
}
