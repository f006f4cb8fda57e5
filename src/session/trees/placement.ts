import type { Generation } from '../../tree/index.ts';
import { FUSE_ROOT_ID } from '../../wire/index.ts';

/** The id that every generation uses for its own root. */
const ROOT_OF_TREE = 1;

/**
 * The position of a tree in the mount. Converts the ids in the tree's generations into the node ids that the
 * kernel knows. A conversion is needed because each generation numbers its own entries, with 1 as its root,
 * but the trees of one mount need distinct node ids, and only the mount's root has the node id 1.
 */
export class Placement {
  /** The node id of the tree's root. */
  readonly rootId: number;
  /** The node id of the directory that contains the root; the mount's root is its own parent. */
  readonly parentId: number;
  readonly #offset: number;

  /** `offset` is added to the ids of all entries except the root. */
  constructor(place: { readonly rootId: number; readonly parentId: number; readonly offset: number }) {
    this.rootId = place.rootId;
    this.parentId = place.parentId;
    this.#offset = place.offset;
  }

  /** Converts the id of an entry in a generation into the node id that the kernel knows. */
  placed(ownId: number): number {
    return ownId === ROOT_OF_TREE ? this.rootId : ownId + this.#offset;
  }

  /** The inverse of `placed`. */
  ownId(nodeId: number): number {
    return nodeId === this.rootId ? ROOT_OF_TREE : nodeId - this.#offset;
  }

  nodeId(generation: Generation, index: number): number {
    return index === 0 ? this.rootId : generation.nodeId(index) + this.#offset;
  }

  /** Returns the index of the entry with this node id, or -1 if the generation has no such entry. */
  indexOfNode(generation: Generation, nodeId: number): number {
    if (nodeId === this.rootId) return 0;
    const ownId = nodeId - this.#offset;
    return ownId > ROOT_OF_TREE ? generation.indexOfNode(ownId) : -1;
  }

  parentNodeId(generation: Generation, index: number): number {
    return index === 0 ? this.parentId : this.nodeId(generation, generation.parent(index));
  }
}

/** The placement of a mount's only tree: its root is the mount's root. */
export const WHOLE_MOUNT = new Placement({ rootId: FUSE_ROOT_ID, parentId: FUSE_ROOT_ID, offset: 0 });

/** A tree and its placement. */
export interface PlacedTree {
  readonly generation: Generation;
  readonly placement: Placement;
  /** One fingerprint per entry; see cache/verification.ts. */
  readonly fingerprints: BigUint64Array;
}
