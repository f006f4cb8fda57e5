import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import pLimit from 'p-limit';
import {
  encodeManifest,
  type ReleasedFile,
  type ReleasePayload,
  releaseId,
  releaseKeys,
} from '../release/index.ts';
import type { Condemned } from './condemned.ts';
import { DeployError } from './deploy-error.ts';
import { type Content, placeFiles, planPacks } from './pack-plan.ts';
import { readContent } from './read-release.ts';
import type { ReleaseStore } from './release-store.ts';
import type { SourceFile } from './source-files.ts';

/** A file of the release to come: one that is read here, or one that the current release has. */
export type PlannedFile = SourceFile | ReleasedFile;

export interface UploadProgress {
  readonly packs: number;
  readonly bytes: number;
}

export interface Uploaded extends UploadProgress {
  readonly release: string;
  readonly manifest: ReleasePayload['manifest'];
}

export interface UploadOptions {
  readonly store: ReleaseStore;
  /** What is about to be deleted, and so counts as not there. */
  readonly condemned: Condemned;
  readonly onProgress?: ((done: UploadProgress, all: UploadProgress) => void) | undefined;
  readonly signal: AbortSignal;
}

/** Packs in memory at a time: 128 MiB. */
const MOST_PACKS_AT_ONCE = 4;

/**
 * Writes the packs and the manifest of a release, as far as they are not there yet. What is written is seen by nobody
 * until a ref points to it. Packs are named by their content, so that what an attempt before this one wrote is found.
 *
 * @throws {DeployError} `unusable-source` where a file changed since it was looked at; {StoreError}
 */
export async function upload(
  files: readonly PlannedFile[],
  current: readonly ReleasedFile[],
  options: UploadOptions,
): Promise<Uploaded> {
  const { store, condemned, signal } = options;
  const usable = current.filter(
    ({ place }) => place === undefined || !condemned.has(releaseKeys.pack(place.pack)),
  );
  const plan = planPacks(files, usable);
  const readers = contentReaders(files, current, store, signal);
  const all = {
    packs: plan.packs.length,
    bytes: plan.packs.flat().reduce((bytes, { size }) => bytes + size, 0),
  };
  let done: UploadProgress = { packs: 0, bytes: 0 };
  const limit = pLimit(MOST_PACKS_AT_ONCE);
  const digests = await Promise.all(
    plan.packs.map((contents) =>
      limit(async () => {
        const content = await packOf(contents, readers);
        // A byte behind its contents makes another pack of them.
        const { bytes, digest } = salted(
          (salt) => (salt === undefined ? content : Buffer.concat([content, Buffer.from(salt, 'hex')])),
          (pack) => condemned.has(releaseKeys.pack(pack)),
        );
        await store.create(releaseKeys.pack(digest), bytes, signal);
        done = { packs: done.packs + 1, bytes: done.bytes + bytes.length };
        options.onProgress?.(done, all);
        return digest;
      }),
    ),
  );
  const placed = placeFiles(files, plan, digests);
  const release = releaseId(placed);
  const { bytes, digest } = salted(
    (salt) => encodeManifest(placed, salt),
    (one) => condemned.has(releaseKeys.manifest(release, one)),
  );
  const manifest = { sha256: digest, size: bytes.length };
  await store.create(releaseKeys.manifest(release, manifest.sha256), bytes, signal);
  return { ...all, release, manifest };
}

/** The first of some documents that say the same whose key is not about to be deleted. */
function salted(
  make: (salt: string | undefined) => Uint8Array,
  isCondemned: (digest: string) => boolean,
): { readonly bytes: Uint8Array; readonly digest: string } {
  for (let salt = 0; ; salt++) {
    const bytes = make(salt === 0 ? undefined : salt.toString(16).padStart(8, '0'));
    const digest = createHash('sha256').update(bytes).digest('hex');
    if (!isCondemned(digest)) return { bytes, digest };
  }
}

type ContentReader = () => Promise<Uint8Array>;

/** How each content is read: here where it is here, else from the packs of the current release. */
function contentReaders(
  files: readonly PlannedFile[],
  current: readonly ReleasedFile[],
  store: ReleaseStore,
  signal: AbortSignal,
): ReadonlyMap<string, ContentReader> {
  const readers = new Map<string, ContentReader>();
  for (const file of current) readers.set(file.sha256, () => readContent(store, file, signal));
  for (const file of files) if ('source' in file) readers.set(file.sha256, () => readSourceAgain(file));
  return readers;
}

async function readSourceAgain({ source, path, sha256 }: SourceFile): Promise<Uint8Array> {
  const bytes = await readFile(source);
  if (createHash('sha256').update(bytes).digest('hex') === sha256) return bytes;
  throw new DeployError(
    'unusable-source',
    `${path} cannot be deployed: it changed while it was read`,
    'Deploy again when it is written.',
  );
}

async function packOf(
  contents: readonly Content[],
  readers: ReadonlyMap<string, ContentReader>,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (const { sha256 } of contents) parts.push(await readers.get(sha256)!());
  return Buffer.concat(parts);
}
