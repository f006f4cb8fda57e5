import { ABSENT } from '../../cache/verification.ts';
import { Generation, type GenerationChanges } from '../../tree/index.ts';
import type { ServedTree } from '../messages.ts';
import type { HeldInode } from './held-inode.ts';
import { type PlacedTree, type Placement, WHOLE_MOUNT } from './placement.ts';

/** A tree that changes: its current generation, and the replaced nodes that the kernel may still hold. */
export class ShownTree implements PlacedTree {
  readonly placement: Placement;
  #generation: Generation;
  #fingerprints: BigUint64Array;
  readonly #held = new Map<number, HeldInode>();
  #changing = false;

  /**
   * `replaced`: nodes of a predecessor's generations that the kernel may still hold, with their ids in these
   * generations.
   */
  constructor(shown: ServedTree, replaced: readonly HeldInode[] = [], placement: Placement = WHOLE_MOUNT) {
    this.placement = placement;
    this.#generation = Generation.view(shown.generation);
    this.#fingerprints = new BigUint64Array(shown.fingerprints);
    for (const node of replaced) {
      const nodeId = placement.placed(node.nodeId);
      this.#held.set(nodeId, { ...node, nodeId, parentId: placement.placed(node.parentId) });
    }
  }

  get generation(): Generation {
    return this.#generation;
  }

  get fingerprints(): BigUint64Array {
    return this.#fingerprints;
  }

  /**
   * `<number>:<id>` of the shown generation, or `changing` while the kernel may still cache parts of the
   * previous generation.
   */
  get label(): string {
    return this.#changing ? 'changing' : `${this.#generation.number}:${this.#generation.id}`;
  }

  get heldCount(): number {
    return this.#held.size;
  }

  held(nodeId: number): HeldInode | undefined {
    return this.#held.get(nodeId);
  }

  heldIds(): number[] {
    return [...this.#held.keys()];
  }

  /**
   * Returns the path of a node, or its last path if it was removed; '' for the root, undefined if unknown.
   */
  path(nodeId: number): string | undefined {
    const index = this.placement.indexOfNode(this.#generation, nodeId);
    if (index >= 0) return this.#generation.path(index);
    return this.#held.get(nodeId)?.path;
  }

  /** Marks the tree as changing, because the kernel may still cache parts of the previous generation. */
  unsettled(): void {
    this.#changing = true;
  }

  /** Ends the mark of a changing tree, because the kernel has answered all notifications of the swap. */
  settled(): void {
    this.#changing = false;
  }

  /**
   * Shows the next generation and returns the previous one. The tree counts as changing until `settled` is
   * called.
   */
  show(shown: ServedTree, changes: GenerationChanges): Generation {
    this.#changing = true;
    const old = this.#generation;
    const next = Generation.view(shown.generation);
    // All touched directories have the time of this publication as mtime. If something was removed, at least
    // one directory was touched.
    const instant = changes.touched[0];
    for (const index of changes.changedFrom) this.#retire(old, index);
    for (const index of changes.removed) {
      this.#retire(old, index);
      if (instant !== undefined && old.isDirectory(index))
        this.#touch(this.placement.nodeId(old, index), next, instant);
    }
    this.#generation = next;
    this.#fingerprints = new BigUint64Array(shown.fingerprints);
    return old;
  }

  /**
   * Releases the held node of a directory that returns under its old node id, because the new entry replaces
   * it. Returns whether there was such a held node.
   */
  revive(nodeId: number): boolean {
    return this.#held.delete(nodeId);
  }

  release(nodeIds: Iterable<number>): void {
    for (const nodeId of nodeIds) this.#held.delete(nodeId);
  }

  /**
   * Gives a removed directory, which is empty now, a new mtime. Otherwise a listing that the kernel was
   * reading during the invalidation would stay cached permanently.
   */
  #touch(nodeId: number, next: Generation, index: number): void {
    const node = this.#held.get(nodeId);
    if (node === undefined) return;
    const mtimeSeconds = next.mtimeSeconds(index);
    const mtimeNanoseconds = next.mtimeNanoseconds(index);
    this.#held.set(nodeId, { ...node, mtimeSeconds, mtimeNanoseconds });
  }

  #retire(generation: Generation, index: number): void {
    const directory = generation.isDirectory(index);
    const nodeId = this.placement.nodeId(generation, index);
    this.#held.set(nodeId, {
      nodeId,
      directory,
      archived: generation.isArchived(index),
      executable: generation.isExecutable(index),
      parentId: this.placement.parentNodeId(generation, index),
      size: directory ? 0 : generation.size(index),
      mtimeSeconds: generation.mtimeSeconds(index),
      mtimeNanoseconds: generation.mtimeNanoseconds(index),
      path: generation.path(index),
      lastModified: generation.lastModified(index),
      version: directory ? undefined : generation.version(index),
      fingerprint: directory ? ABSENT : Atomics.load(this.#fingerprints, index),
    });
  }
}
