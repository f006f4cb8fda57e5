import { promisify } from 'node:util';
import { constants, deflateRaw, deflateRawSync, inflateRaw } from 'node:zlib';
import type { Yielder } from '../base/yielder.ts';
import type { Generation, GenerationChanges } from '../tree/index.ts';

const deflate = promisify(deflateRaw);
const inflate = promisify(inflateRaw);

/** The maximum number of bytes of one publication's paths when unpacked: some 300,000 paths. */
const MOST_BYTES = 32 * 1024 * 1024;
/**
 * The maximum number of bytes of one record: flags, length, path (at most 4,095 bytes, and a slash), and two
 * fingerprints.
 */
const MOST_RECORD_BYTES = 1 + 2 + 4096 + 16;
const FIRST_BYTES = 64 * 1024;
const FINGERPRINT_BYTES = 8;
/** The fingerprint of an empty directory, whose path ends in a slash. */
const DIRECTORY = Buffer.from('directory'.padEnd(FINGERPRINT_BYTES)).subarray(0, FINGERPRINT_BYTES);

const HAD = 1;
const HAS = 2;

/** How many files and empty directories a publication added, changed and removed. */
export interface ChangeCounts {
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
}

/** The paths that one publication changed, with fingerprints of the old and new content, packed. */
export interface PackedChanges extends ChangeCounts {
  /** Undefined if there were too many paths to keep. */
  readonly packed: Uint8Array | undefined;
  /** The number of bytes before packing. */
  readonly rawBytes: number;
}

export const NO_CHANGES: PackedChanges = { added: 0, changed: 0, removed: 0, packed: undefined, rawBytes: 0 };

/**
 * A changed path, with fingerprints of its old and new content. `before` is undefined if the path did not
 * exist, `after` if it no longer exists.
 */
export interface ChangedPath {
  /** A directory's path ends in a slash. */
  readonly path: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
}

/**
 * Packs the changes of a publication: its files and its empty directories, because the other directories
 * follow from these. Fingerprints identify the content, so that several publications can be combined.
 */
export async function packChanges(
  previous: Generation,
  next: Generation,
  changes: GenerationChanges,
  yielder: Yielder,
): Promise<PackedChanges> {
  const records = new Records();
  let added = 0;
  let removed = 0;
  for (const index of changes.added) {
    if (yielder.due()) await yielder.turn();
    if (!isLeaf(next, index)) continue;
    records.add(next, index, undefined, fingerprint(next, index));
    added += 1;
  }
  for (const index of changes.removed) {
    if (yielder.due()) await yielder.turn();
    if (!isLeaf(previous, index)) continue;
    records.add(previous, index, fingerprint(previous, index), undefined);
    removed += 1;
  }
  for (let at = 0; at < changes.changed.length; at++) {
    if (yielder.due()) await yielder.turn();
    const index = changes.changed[at] as number;
    records.add(
      next,
      index,
      fingerprint(previous, changes.changedFrom[at] as number),
      fingerprint(next, index),
    );
  }
  for (const index of changes.touched) {
    if (yielder.due()) await yielder.turn();
    const old = changes.origin[index] as number;
    if (index === 0 || isEmpty(previous, old) === isEmpty(next, index)) continue;
    if (isEmpty(next, index)) {
      records.add(next, index, undefined, DIRECTORY);
      added += 1;
    } else {
      records.add(previous, old, DIRECTORY, undefined);
      removed += 1;
    }
  }
  const raw = records.bytes();
  const packed = raw && (await pack(raw));
  return { added, changed: changes.changed.length, removed, packed, rawBytes: raw?.length ?? 0 };
}

/** Packs up to FIRST_BYTES at once: that takes under a millisecond, which is not worth another thread. */
async function pack(raw: Buffer): Promise<Uint8Array> {
  const options = { level: constants.Z_BEST_SPEED };
  return raw.length <= FIRST_BYTES ? deflateRawSync(raw, options) : await deflate(raw, options);
}

/** Unpacks the changes of a publication. Rejects if `packChanges` did not produce the bytes. */
export async function unpackChanges({ packed, rawBytes }: PackedChanges): Promise<readonly ChangedPath[]> {
  if (packed === undefined) return [];
  const raw = (await inflate(packed, { maxOutputLength: Math.max(1, rawBytes) })) as Buffer;
  const found: ChangedPath[] = [];
  for (let at = 0; at < raw.length; ) {
    const flags = raw.readUInt8(at);
    const pathEnd = at + 3 + raw.readUInt16LE(at + 1);
    const path = raw.toString('utf8', at + 3, pathEnd);
    at = pathEnd;
    const take = (flag: number): string | undefined => {
      if ((flags & flag) === 0) return undefined;
      at += FINGERPRINT_BYTES;
      return raw.toString('latin1', at - FINGERPRINT_BYTES, at);
    };
    found.push({ path, before: take(HAD), after: take(HAS) });
    if (at > raw.length) throw new RangeError('a record of changed paths is cut off');
  }
  return found;
}

function isLeaf(generation: Generation, index: number): boolean {
  return index !== 0 && (!generation.isDirectory(index) || isEmpty(generation, index));
}

function isEmpty(generation: Generation, directory: number): boolean {
  return generation.childrenStart(directory) === generation.childrenEnd(directory);
}

function fingerprint(generation: Generation, index: number): Buffer {
  if (generation.isDirectory(index)) return DIRECTORY;
  const bytes = Buffer.from(generation.versionName(index).slice(0, 2 * FINGERPRINT_BYTES), 'hex');
  if (generation.isExecutable(index)) bytes.writeUInt8(bytes.readUInt8(0) ^ 1);
  return bytes;
}

/** A growing buffer of records. If it would exceed MOST_BYTES, its content is discarded. */
class Records {
  #bytes: Buffer | undefined = Buffer.allocUnsafe(FIRST_BYTES);
  #length = 0;

  add(generation: Generation, index: number, before: Buffer | undefined, after: Buffer | undefined): void {
    const bytes = this.#room();
    if (bytes === undefined) return;
    const slash = generation.isDirectory(index) ? '/' : '';
    const pathBytes = bytes.write(generation.path(index) + slash, this.#length + 3);
    bytes.writeUInt8((before === undefined ? 0 : HAD) | (after === undefined ? 0 : HAS), this.#length);
    bytes.writeUInt16LE(pathBytes, this.#length + 1);
    this.#length += 3 + pathBytes;
    for (const each of [before, after])
      if (each !== undefined) this.#length += each.copy(bytes, this.#length);
  }

  bytes(): Buffer | undefined {
    return this.#bytes?.subarray(0, this.#length);
  }

  #room(): Buffer | undefined {
    if (this.#bytes === undefined || this.#length + MOST_RECORD_BYTES <= this.#bytes.length)
      return this.#bytes;
    const size = Math.min(MOST_BYTES, 2 * this.#bytes.length);
    if (this.#length + MOST_RECORD_BYTES > size) {
      this.#bytes = undefined;
      return undefined;
    }
    const larger = Buffer.allocUnsafe(size);
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
    return larger;
  }
}
