import type { BigIntStats } from 'node:fs';

/*
 * Only this module decides whether the content of a blob is verified.
 *
 * A process that has checked the whole content of a blob's file, or has written it, takes the file's
 * fingerprint (blob-file.ts). The content is verified as long as the file still has that fingerprint. A
 * fingerprint that is stored elsewhere (in the index of blobs, beside a tree, in the session, in a file) is a copy and
 * proves nothing by itself, so every use compares the copy with the file.
 */

/** The content is not known to be local. */
export const ABSENT = 0n;
/** The content is not local yet, and a background fetch of it is in progress. */
export const ARRIVING = 1n;

const MASK = 0xffff_ffff_ffff_ffffn;

/**
 * Whether this is the fingerprint of a file, not {@link ABSENT} or {@link ARRIVING}. The file's content is
 * verified if {@link isUnchanged} is true, too.
 */
export function isFingerprint(fingerprint: bigint): boolean {
  return fingerprint > ARRIVING;
}

/** Which of the two words of an element is the lower one: that depends on the host's byte order. */
const LOWER = new Uint32Array(new BigUint64Array([1n]).buffer)[0] === 1 ? 0 : 1;
const HIGHEST_MARK = Number(ARRIVING);

/**
 * isFingerprint() for an element of a BigUint64Array, of which `words` is the memory: reading one allocates an object.
 */
export function isFingerprintAt(words: Uint32Array, element: number): boolean {
  return words[2 * element + 1 - LOWER] !== 0 || words[2 * element + LOWER]! > HIGHEST_MARK;
}

/** Whether a file still has the fingerprint that it had when its content was verified. */
export function isUnchanged(fingerprint: bigint, stats: Parameters<typeof fingerprintOf>[0]): boolean {
  return isFingerprint(fingerprint) && fingerprintOf(stats) === fingerprint;
}

/**
 * Identifies the state of a blob's file when its content was last verified: 64 bits mixed from inode, size
 * and ctime (ns), never {@link ABSENT} or {@link ARRIVING}. Any change of the content through the filesystem
 * sets a new ctime, which cannot be set back. Only two changes within one tick of the kernel's clock (4 ms at
 * most; finer from Linux 6.13 on) may get the same ctime.
 *
 * A call takes 1.3 us.
 */
export function fingerprintOf({ ino, size, ctimeNs }: Pick<BigIntStats, 'ino' | 'size' | 'ctimeNs'>): bigint {
  const mixed = mix(mix(mix(ino) ^ size) ^ ctimeNs);
  return isFingerprint(mixed) ? mixed : 2n;
}

/** The finalizer of splitmix64: a bijection in which each bit of the input changes half of the output's. */
function mix(value: bigint): bigint {
  let z = (value + 0x9e37_79b9_7f4a_7c15n) & MASK;
  z = ((z ^ (z >> 30n)) * 0xbf58_476d_1ce4_e5b9n) & MASK;
  z = ((z ^ (z >> 27n)) * 0x94d0_49bb_1331_11ebn) & MASK;
  return z ^ (z >> 31n);
}
