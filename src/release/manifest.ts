import { createHash } from 'node:crypto';
import { judgeKey } from '../tree/index.ts';
import { canonicalJson, type JsonValue, parseCanonicalJson } from './canonical-json.ts';
import { compareCodePoints } from './code-points.ts';
import { Fields } from './fields.ts';
import { isDigest } from './layout.ts';
import { ReleaseError } from './release-error.ts';

/** One file of a release as users and mounts see it, without the place of its bytes. */
export interface ReleasedContent {
  /**
   * The path below the root of the tree: components of 1 to 255 bytes, none of them `.` or `..`, no slash at
   * either end.
   */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** 64 hex digits. */
  readonly sha256: string;
  readonly executable: boolean;
}

/** One file of a release, and the place of its bytes. */
export interface ReleasedFile extends ReleasedContent {
  /** The SHA-256 of the pack, and where the file begins in it, in bytes; undefined for a file of no bytes. */
  readonly place: { readonly pack: string; readonly offset: number } | undefined;
}

export interface Manifest {
  readonly id: string;
  /** In the order of the code points of their paths. */
  readonly files: readonly ReleasedFile[];
}

export const MOST_MANIFEST_BYTES = 64 * 1024 * 1024;
export const MOST_FILES = 1_000_000;
/**
 * The size limit of a file: S3's own limit for an object. No pack is larger, because a file that does not fit
 * into a shared pack is a pack by itself.
 */
const MOST_BYTES = 5 * 1024 ** 4;

/** How many characters are hashed at a time. */
const PIECE_LENGTH = 65_536;

/** The SHA-256 of no bytes. */
const EMPTY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

/**
 * Returns the id of a release: a hash of the paths, sizes, digests and execute bits of its files, and of
 * nothing else. So the same files have the same id, whatever their deployer and their packs. It is the id
 * that airflow-manifest-bundle 0.3 gives them.
 *
 * @param files in any order
 */
export function releaseId(files: readonly ReleasedContent[]): string {
  // Hashes canonical JSON piece by piece: assembling the whole text takes ten times its length in memory.
  const hash = createHash('sha256');
  let piece = '{"files":[';
  inOrder(files).forEach(({ path, size, sha256, executable }, at) => {
    const [name, digest] = [canonicalJson(path), canonicalJson(sha256)];
    piece += `${at === 0 ? '' : ','}{"executable":${executable},"path":${name},"sha256":${digest},"size":${size}}`;
    if (piece.length < PIECE_LENGTH) return;
    hash.update(piece);
    piece = '';
  });
  return `sha256-${hash.update(`${piece}],"schema_version":1}`).digest('hex')}`;
}

/**
 * Returns the bytes of a manifest.
 *
 * @param salt hex digits that are added, so that the same files and places give another manifest
 */
export function encodeManifest(files: readonly ReleasedFile[], salt?: string): Uint8Array {
  const document: JsonValue = {
    files: inOrder(files).map(({ place, path, size, sha256, executable }) => ({
      executable,
      offset: place?.offset,
      pack: place?.pack,
      path,
      sha256,
      size,
    })),
    salt,
    schema: 1,
  };
  return Buffer.from(canonicalJson(document));
}

/**
 * Reads a manifest and checks everything that can be checked without the packs.
 *
 * @throws {ReleaseError} `malformed`
 */
export function decodeManifest(bytes: Uint8Array): Manifest {
  if (bytes.length > MOST_MANIFEST_BYTES) throw malformed(`it is longer than ${MOST_MANIFEST_BYTES} bytes`);
  const fields = new Fields(parseCanonicalJson(bytes, 'the manifest'), 'the manifest');
  fields.integer('schema', 1, 1);
  fields.optionalText('salt', (text) => /^[0-9a-f]{1,64}$/.test(text));
  const files = fields.list('files', MOST_FILES).map(fileOf);
  fields.end();
  refuseConflicts(files);
  refuseOverlaps(files);
  return { id: releaseId(files), files };
}

function fileOf(value: JsonValue, at: number): ReleasedFile {
  const fields = new Fields(value, `file ${at + 1} of the manifest`);
  const path = fields.text('path', isShowable);
  const size = fields.integer('size', 0, MOST_BYTES);
  const sha256 = fields.text('sha256', isDigest);
  const executable = fields.boolean('executable');
  if (size > 0) {
    const pack = fields.text('pack', isDigest);
    const offset = fields.integer('offset', 0, MOST_BYTES - size);
    fields.end();
    return { path, size, sha256, executable, place: { pack, offset } };
  }
  fields.end();
  if (sha256 !== EMPTY) throw malformed(`${path} has no bytes, and the digest of some`);
  return { path, size, sha256, executable, place: undefined };
}

/** Returns whether a mount can show a file at the path. */
export function isShowable(path: string): boolean {
  const bytes = Buffer.from(path);
  return bytes.length > 0 && bytes.at(-1) !== 0x2f && judgeKey(bytes, 0, bytes.length, 1) === undefined;
}

/** Refuses paths that are not sorted, occur twice, or are a folder of another path. */
function refuseConflicts(files: readonly ReleasedFile[]): void {
  let before: string | undefined;
  for (const { path } of files) {
    if (before !== undefined && compareCodePoints(before, path) >= 0) {
      throw malformed(`${path} is there twice, or not in its place`);
    }
    before = path;
  }
  const conflict = findConflict(new Set(files.map(({ path }) => path)));
  if (conflict !== undefined)
    throw malformed(`${conflict.folder} is a file, and the folder of ${conflict.path}`);
}

/** Refuses files that share bytes of a pack, unless their ranges and their contents are the same. */
function refuseOverlaps(files: readonly ReleasedFile[]): void {
  const packs = new Map<string, PlacedFile[]>();
  for (const file of files) {
    if (file.place === undefined) continue;
    const { pack, offset } = file.place;
    const placed = packs.get(pack);
    const range = { file, offset, end: offset + file.size };
    if (placed === undefined) packs.set(pack, [range]);
    else placed.push(range);
  }
  for (const placed of packs.values()) {
    placed.sort((one, other) => one.offset - other.offset || one.end - other.end);
    placed.forEach(({ file, offset, end }, at) => {
      const before = placed[at - 1];
      if (before === undefined || before.end <= offset) return;
      const isShared = before.offset === offset && before.end === end && before.file.sha256 === file.sha256;
      if (!isShared)
        throw malformed(`${before.file.path} and ${file.path} share bytes of a pack, and differ`);
    });
  }
}

interface PlacedFile {
  readonly file: ReleasedFile;
  readonly offset: number;
  /** The offset after the last byte of the file. */
  readonly end: number;
}

/** Returns the first path that lies in a folder that is itself a file; undefined if there is none. */
export function findConflict(
  paths: ReadonlySet<string> | ReadonlyMap<string, unknown>,
): { readonly folder: string; readonly path: string } | undefined {
  for (const path of paths.keys()) {
    for (let slash = path.indexOf('/'); slash !== -1; slash = path.indexOf('/', slash + 1)) {
      const folder = path.slice(0, slash);
      if (paths.has(folder)) return { folder, path };
    }
  }
  return undefined;
}

/**
 * Returns the files in the order of their paths: the same array if it is already in order, as in every
 * manifest that is read.
 */
function inOrder<File extends ReleasedContent>(files: readonly File[]): readonly File[] {
  const isOrdered = files.every((file, at) => at === 0 || byPath(files[at - 1]!, file) <= 0);
  return isOrdered ? files : [...files].sort(byPath);
}

function byPath(one: ReleasedContent, other: ReleasedContent): number {
  return compareCodePoints(one.path, other.path);
}

function malformed(message: string): ReleaseError {
  return new ReleaseError(
    'malformed',
    `the manifest says what cannot be: ${message}`,
    'Deploy the release once more, and check which accounts can write below the release root.',
  );
}
