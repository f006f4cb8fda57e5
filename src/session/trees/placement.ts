import type { Generation } from '../../tree/index.ts';
import { FUSE_ROOT_ID } from '../../wire/index.ts';

/** Every generation has this id for its own root. */
const ROOT_OF_TREE = 1;

/**
 * Where a tree lies in the mount, and so under which node ids the kernel knows its entries. A generation numbers its
 * entries by itself, its root as 1. Several trees of one mount need ids apart, and only one directory of a mount is 1.
 */
export class Placement {
  /** Of the directory that is the tree's root. */
  readonly rootId: number;
  /** Of the directory that holds the root; the mount's root is its own parent. */
  readonly parentId: number;
  readonly #offset: number;

  /** `offset`: what is added to the ids of all entries but the root. */
  constructor(place: { readonly rootId: number; readonly parentId: number; readonly offset: number }) {
    this.rootId = place.rootId;
    this.parentId = place.parentId;
    this.#offset = place.offset;
  }

  /** The kernel's id of what the tree itself knows by this id. */
  placed(ownId: number): number {
    return ownId === ROOT_OF_TREE ? this.rootId : ownId + this.#offset;
  }

  nodeId(generation: Generation, index: number): number {
    return index === 0 ? this.rootId : generation.nodeId(index) + this.#offset;
  }

  /** The entry that the kernel knows by this id, or -1. */
  indexOfNode(generation: Generation, nodeId: number): number {
    if (nodeId === this.rootId) return 0;
    const ownId = nodeId - this.#offset;
    return ownId > ROOT_OF_TREE ? generation.indexOfNode(ownId) : -1;
  }

  parentNodeId(generation: Generation, index: number): number {
    return index === 0 ? this.parentId : this.nodeId(generation, generation.parent(index));
  }
}

/** The only tree of a mount: its root is the mount's. */
export const WHOLE_MOUNT = new Placement({ rootId: FUSE_ROOT_ID, parentId: FUSE_ROOT_ID, offset: 0 });

/** A tree, and where it lies. */
export interface PlacedTree {
  readonly generation: Generation;
  readonly placement: Placement;
  /** One an entry, see cache/verification.ts. */
  readonly fingerprints: BigUint64Array;
}
