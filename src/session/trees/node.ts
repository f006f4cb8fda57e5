import type { HeldInode } from './held-inode.ts';
import type { PlacedTree } from './placement.ts';

/** A directory that belongs to the mount itself, above its trees. */
export interface OwnDirectory {
  readonly nodeId: number;
  readonly parentId: number;
  readonly mtimeSeconds: number;
  readonly mtimeNanoseconds: number;
  readonly subdirectories: number;
  /** Whether the directory never gets or loses a name any more. */
  readonly isFixed: boolean;
}

/** What a node id identifies. */
export type Node =
  | { readonly kind: 'entry'; readonly tree: PlacedTree; readonly index: number }
  /** A node that only an earlier generation of its tree contains. */
  | { readonly kind: 'held'; readonly inode: HeldInode }
  | { readonly kind: 'own'; readonly directory: OwnDirectory }
  /** The root of a version that is not loaded: the source must be asked whether it exists. */
  | { readonly kind: 'sought'; readonly rootId: number; readonly id: string; readonly parent: OwnDirectory };

/** An entry of one of the mount's own directories. */
export interface OwnChild {
  readonly name: Uint8Array;
  readonly cookie: number;
  readonly node: Node;
  /** How many seconds the kernel may cache the entry. */
  readonly ttlSeconds: number;
}
