import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import pLimit from 'p-limit';
import { inOrder } from '../base/in-order.ts';
import {
  encodeManifest,
  MOST_FILES,
  MOST_MANIFEST_BYTES,
  type ReleasedFile,
  ReleaseError,
  type ReleasePayload,
  releaseId,
  releaseKeys,
} from '../release/index.ts';
import type { Condemned } from './condemned.ts';
import { DeployError } from './deploy-error.ts';
import { type Content, LARGEST_SHARED_BYTES, type PackPlan, placeFiles, planPacks } from './pack-plan.ts';
import { readContent } from './read-release.ts';
import type { ReleaseStore } from './release-store.ts';
import { READING, type SourceFile } from './source-files.ts';

/** A file of the new release: a local file, or a file of the current release. */
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
  /** The keys of objects that are about to be deleted, and so count as missing. */
  readonly condemned: Condemned;
  readonly onProgress?: ((done: UploadProgress, all: UploadProgress) => void) | undefined;
  readonly signal: AbortSignal;
}

/**
 * How many packs are in memory at a time: 128 MiB of packs of several contents, and one pack of one large
 * content.
 */
const MOST_PACKS_AT_ONCE = 4;
const MOST_LARGE_PACKS_AT_ONCE = 1;
/**
 * After how many refused writes of a document the upload gives up. Each refusal means that another object has
 * the name.
 */
const MOST_REFUSALS = 8;
/** The largest pack: one content, and the bytes that may follow it to give the pack another name. */
const MOST_PACK_OBJECT_BYTES = 1024 ** 3 + 1024;

/**
 * Writes the packs and the manifest of a release that the store lacks. No node shows them until a ref points
 * to them. The name of a pack is the digest of its bytes, so packs of an earlier attempt are found. A pack
 * that is already there is read before it is used, because another writer could have planted another object.
 *
 * @throws {DeployError} `unusable-source` if a file has changed since it was read, or the release is too
 *   large; `write-refused` if other objects have the names; {ReleaseError} if content of the current release
 *   is damaged; {StoreError}
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
  requireManifestFits(files, plan);
  const shared = pLimit(MOST_PACKS_AT_ONCE);
  const large = pLimit(MOST_LARGE_PACKS_AT_ONCE);
  const digests = await Promise.all(
    plan.packs.map((contents) =>
      (isLarge(contents) ? large : shared)(async () => {
        const content = await packOf(contents, readers, signal);
        // Four bytes after the contents give the pack another name.
        const { bytes, digest } = await write(
          (salt) => (salt === undefined ? content : Buffer.concat([content, Buffer.from(salt, 'hex')])),
          releaseKeys.pack,
          MOST_PACK_OBJECT_BYTES,
          options,
        );
        done = { packs: done.packs + 1, bytes: done.bytes + bytes.length };
        options.onProgress?.(done, all);
        return digest;
      }),
    ),
  );
  const placed = placeFiles(files, plan, digests);
  const release = releaseId(placed);
  const { bytes, digest } = await write(
    (salt) => encodeManifest(placed, salt),
    (one) => releaseKeys.manifest(release, one),
    MOST_MANIFEST_BYTES,
    options,
  );
  return { ...all, release, manifest: { sha256: digest, size: bytes.length } };
}

/**
 * Writes the first of several equivalent documents whose key is neither about to be deleted nor used by
 * another object.
 *
 * @param make makes one of the documents; `salt` makes them differ
 */
async function write(
  make: (salt: string | undefined) => Uint8Array,
  keyOf: (digest: string) => string,
  most: number,
  { store, condemned, signal }: UploadOptions,
): Promise<{ readonly bytes: Uint8Array; readonly digest: string }> {
  for (let salt = 0, refusals = 0; ; salt++) {
    const bytes = make(salt === 0 ? undefined : salt.toString(16).padStart(8, '0'));
    const digest = digestOf(bytes);
    const key = keyOf(digest);
    if (condemned.has(key)) continue;
    if ((await store.create(key, bytes, signal)).kind === 'written') return { bytes, digest };
    if (await isThere(key, digest, most, store, signal)) return { bytes, digest };
    refusals++;
    if (refusals === MOST_REFUSALS) {
      throw new DeployError(
        'write-refused',
        `the store refused ${refusals} times to create an object, the last time ${key}, and has not its content`,
        'Check which accounts can write below the release root, and what stands between this host and the store.',
      );
    }
  }
}

/**
 * Returns whether the object at a key has the digest that its name states. False if the object is missing, or
 * longer than `most` bytes.
 */
async function isThere(
  key: string,
  digest: string,
  most: number,
  store: ReleaseStore,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    const there = await store.read(key, most, signal);
    return there !== undefined && digestOf(there.bytes) === digest;
  } catch (error) {
    if (error instanceof ReleaseError) return false;
    throw error;
  }
}

/**
 * Refuses a release with too large a manifest, before anything is sent. All digests have the same length, so
 * the length of the manifest is known before.
 */
function requireManifestFits(files: readonly PlannedFile[], plan: PackPlan): void {
  if (files.length <= MOST_FILES) {
    const digests = plan.packs.map(() => '0'.repeat(64));
    const { length } = encodeManifest(placeFiles(files, plan, digests), '0'.repeat(8));
    if (length <= MOST_MANIFEST_BYTES) return;
  }
  throw new DeployError(
    'unusable-source',
    `a release of ${files.length} files is too large: ${MOST_FILES} files and a manifest of ${MOST_MANIFEST_BYTES} bytes are the most`,
    'Leave files out by --exclude.',
  );
}

function isLarge(contents: readonly Content[]): boolean {
  return contents.some(({ size }) => size > LARGEST_SHARED_BYTES);
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

type ContentReader = () => Promise<Uint8Array>;

/**
 * Returns, by SHA-256, how each content is read: from a local file if one has it, otherwise from a pack of
 * the current release.
 */
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
  if (digestOf(bytes) === sha256) return bytes;
  throw new DeployError(
    'unusable-source',
    `cannot deploy ${path}: it changed while it was read`,
    'Deploy again when it is written.',
  );
}

async function packOf(
  contents: readonly Content[],
  readers: ReadonlyMap<string, ContentReader>,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  const read = ({ sha256 }: Content): Promise<Uint8Array> => readers.get(sha256)!();
  for await (const part of inOrder(contents, read, { ...READING, signal })) parts.push(part);
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
}
