import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { isOwn } from '../host/own-file.ts';

/** A file of VersionDirectory: a tree, compressed by itself (a base) or behind a base (a version). */
export interface VersionFile {
  /** The name of the base that the tree was compressed behind; '' if the tree is a base itself. */
  readonly base: string;
  /** The size of the tree before compression, in bytes. */
  readonly bytes: number;
  readonly packed: Uint8Array;
}

export interface ReadVersionFile extends VersionFile {
  /** See digestOfTree(). */
  readonly digest: Buffer;
  /** Milliseconds since the epoch. */
  readonly mtimeMs: number;
}

const MAGIC = Buffer.from('DAGMVER\x02', 'latin1');
const DIGEST_BYTES = 32;
const BASE_BYTES = 64;
const BASE_AT = MAGIC.length + DIGEST_BYTES;
const LENGTH_AT = BASE_AT + BASE_BYTES;
const HEAD_BYTES = LENGTH_AT + 4;
/** A tree of a million files has some 160 MB. */
export const MOST_TREE_BYTES = 1024 * 1024 * 1024;
const READ_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Returns the SHA-256 of a tree with the mount and the name of its file. If a tree that was read has the
 * digest of its file, it belongs to this mount and this name.
 */
export function digestOfTree(mountId: string, name: string, tree: Uint8Array): Buffer {
  return createHash('sha256').update(`${mountId}\0${name}\0`).update(tree).digest();
}

/** The parts of a file, to be written one after the other. */
export function encodeVersionFile(
  digest: Uint8Array,
  { base, bytes, packed }: VersionFile,
): readonly Uint8Array[] {
  const head = Buffer.alloc(HEAD_BYTES);
  MAGIC.copy(head);
  head.set(digest, MAGIC.length);
  head.write(base, BASE_AT, BASE_BYTES, 'latin1');
  head.writeUInt32LE(bytes, LENGTH_AT);
  return [head, packed];
}

/**
 * Reads a file. Returns undefined if dagmount did not write the file for this user. Rejects with the system's
 * error if the file cannot be read.
 */
export async function readVersionFile(path: string): Promise<ReadVersionFile | undefined> {
  const handle = await open(path, READ_FLAGS);
  try {
    const stats = await handle.stat();
    if (!stats.isFile() || !isOwn(stats) || stats.size > HEAD_BYTES + MOST_TREE_BYTES) return undefined;
    const file = await handle.readFile();
    const bytes = file.length < HEAD_BYTES ? 0 : file.readUInt32LE(LENGTH_AT);
    if (bytes === 0 || bytes > MOST_TREE_BYTES || !file.subarray(0, MAGIC.length).equals(MAGIC))
      return undefined;
    return {
      base: file.toString('latin1', BASE_AT, LENGTH_AT).replace(/\0+$/, ''),
      bytes,
      packed: file.subarray(HEAD_BYTES),
      digest: file.subarray(MAGIC.length, BASE_AT),
      mtimeMs: stats.mtimeMs,
    };
  } finally {
    await handle.close();
  }
}
