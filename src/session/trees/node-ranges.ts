import { halfSipHash } from '../../tree/index.ts';

/*
 * The node ids of a mount that shows versions. The kernel has 64 bits for a node id. A JavaScript number
 * holds 53 of them exactly.
 *
 *     1                     the root of the mount
 *     2 .. 2^51 - 1         entries of the current tree, with the ids in its generations
 *     2^51 + 0 .. 15        the mount's own directories
 *     2^51 + 16 .. 2^52 - 1 roots of versions: a keyed hash of the version's id
 *     2^52 .. 2^53 - 1      entries of versions: the upper 26 bits are the slot of the version, the lower 26
 *                           the id of the entry in the version's generation
 */
const OWN_DIRECTORIES = 2 ** 51;
const RESERVED = 16;
const VERSION_ENTRIES = 2 ** 52;
const ENTRY_BITS = 26;

export const CURRENT_ROOT_ID = OWN_DIRECTORIES;
export const VERSIONS_ID = OWN_DIRECTORIES + 1;

/**
 * Returns the node id of a version's root. The node id depends only on the version's id and the mount's salt,
 * so that a successor gives the same answer to a lookup as its predecessor. The salt is the key of the hash:
 * without the salt, two version ids with the same node id cannot be constructed.
 */
export function versionRootId(id: string, salt: bigint): number {
  const bytes = Buffer.from(id, 'latin1');
  const out = new Uint32Array(2);
  halfSipHash(Number(salt >> 32n) >>> 0, Number(salt & 0xffffffffn) >>> 0, bytes, 0, bytes.length, out);
  const hash = (out[1]! & 0x7ffff) * 2 ** 32 + out[0]!;
  return OWN_DIRECTORIES + (hash < RESERVED ? hash + RESERVED : hash);
}

/**
 * Returns the slot of a version. The slot depends only on the same two values, for the same reason. Two
 * versions with the same slot cannot be shown at once; among 64 versions, the probability of that is 1 in
 * 30,000.
 */
export function versionSlot(id: string, salt: bigint): number {
  const bytes = Buffer.from(`slot ${id}`, 'latin1');
  const out = new Uint32Array(2);
  halfSipHash(Number(salt >> 32n) >>> 0, Number(salt & 0xffffffffn) >>> 0, bytes, 0, bytes.length, out);
  return out[0]! & (2 ** ENTRY_BITS - 1);
}

/** Returns the offset (Placement) of the node ids of the version in a slot. */
export function versionOffset(slot: number): number {
  return VERSION_ENTRIES + slot * 2 ** ENTRY_BITS;
}

/**
 * Returns the slot of the version to which an entry belongs; undefined if the node id is not that of a
 * version's entry.
 */
export function slotOf(nodeId: number): number | undefined {
  return nodeId < VERSION_ENTRIES ? undefined : Math.floor((nodeId - VERSION_ENTRIES) / 2 ** ENTRY_BITS);
}

export function isVersionRoot(nodeId: number): boolean {
  return nodeId >= OWN_DIRECTORIES + RESERVED && nodeId < VERSION_ENTRIES;
}

/**
 * The cookie of a version in the listing of `versions/`: unique, above the cookies of "." and "..", below
 * 2^51.
 */
export function versionCookie(rootId: number): number {
  return rootId - OWN_DIRECTORIES;
}

/*
 * The node ids of a mount that shows several trees, none of which is a version:
 *
 *     1                          the root of the mount
 *     2^51 .. 2^51 + 2^20 - 1    directories above the trees
 *     2^51 + 2^20 + n            the root of tree n
 *     2^52 + n * 2^46 ..         the entries of tree n, with the ids in its generations
 */
const TREE_ROOTS = OWN_DIRECTORIES + 2 ** 20;
const TREE_ENTRIES = 2 ** 52;
const IDS_OF_A_TREE = 2 ** 46;

/** The maximum number of trees of a mount. src/config has the same limit. */
const MOST_TREES = 64;

/** The node id of a directory above the trees. */
export function aboveTreesId(index: number): number {
  return OWN_DIRECTORIES + index;
}

export function treeRootId(tree: number): number {
  return TREE_ROOTS + tree;
}

/** Returns the offset (Placement) of the node ids of a tree's entries. */
export function treeOffset(tree: number): number {
  return TREE_ENTRIES + tree * IDS_OF_A_TREE;
}

/** Returns the number of the tree to which a root or an entry belongs; undefined for other node ids. */
export function treeNumberOf(nodeId: number): number | undefined {
  if (nodeId >= TREE_ENTRIES) return Math.floor((nodeId - TREE_ENTRIES) / IDS_OF_A_TREE);
  return nodeId >= TREE_ROOTS && nodeId < TREE_ROOTS + MOST_TREES ? nodeId - TREE_ROOTS : undefined;
}
