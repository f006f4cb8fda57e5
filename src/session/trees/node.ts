import type { HeldInode } from './held-inode.ts';
import type { PlacedTree } from './placement.ts';

/** A directory that the mount has by itself, above its trees. */
export interface OwnDirectory {
  readonly nodeId: number;
  readonly parentId: number;
  readonly mtimeSeconds: number;
  readonly mtimeNanoseconds: number;
  readonly subdirectories: number;
}

/** What a node id stands for. */
export type Node =
  | { readonly kind: 'entry'; readonly tree: PlacedTree; readonly index: number }
  /** Of a tree that is shown no more. */
  | { readonly kind: 'held'; readonly inode: HeldInode }
  | { readonly kind: 'own'; readonly directory: OwnDirectory }
  /** The root of a version that is not here: whether there is one is to be asked of the source. */
  | { readonly kind: 'sought'; readonly rootId: number; readonly id: string; readonly parent: OwnDirectory };

/** A name in one of the mount's own directories. */
export interface OwnChild {
  readonly name: Uint8Array;
  readonly cookie: number;
  readonly node: Node;
  /** For how long the kernel may use it without asking, in seconds. */
  readonly ttlSeconds: number;
}
