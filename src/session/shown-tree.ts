import { Generation, type GenerationChanges } from '../tree/index.ts';
import type { Shown } from './messages.ts';
import type { RetiredNode } from './retired-node.ts';

/** The tree the kernel is shown: one generation, and the replaced versions that the kernel may still hold. */
export class ShownTree {
  #generation: Generation;
  #stamps: BigUint64Array;
  readonly #retired = new Map<number, RetiredNode>();
  #changing = false;

  /** `replaced`: what the kernel may hold of trees that a predecessor has shown. */
  constructor(shown: Shown, replaced: readonly RetiredNode[] = []) {
    this.#generation = Generation.view(shown.generation);
    this.#stamps = new BigUint64Array(shown.stamps);
    for (const node of replaced) this.#retired.set(node.nodeId, { ...node });
  }

  get generation(): Generation {
    return this.#generation;
  }

  /** `<number>:<id>` of what is shown; `changing` while the kernel may still have something of the tree before. */
  get label(): string {
    return this.#changing ? 'changing' : `${this.#generation.number}:${this.#generation.id}`;
  }

  get retiredCount(): number {
    return this.#retired.size;
  }

  /** The stamp under which the blob of that version was last verified; 0n when it is not known to be local. */
  stampOf(nodeId: number): bigint {
    const index = this.#generation.indexOfNode(nodeId);
    return index < 0 ? (this.#retired.get(nodeId)?.stamp ?? 0n) : Atomics.load(this.#stamps, index);
  }

  setStampOf(nodeId: number, stamp: bigint): void {
    const index = this.#generation.indexOfNode(nodeId);
    const retired = index < 0 ? this.#retired.get(nodeId) : undefined;
    if (index >= 0) Atomics.store(this.#stamps, index, stamp);
    else if (retired !== undefined) retired.stamp = stamp;
  }

  retired(nodeId: number): RetiredNode | undefined {
    return this.#retired.get(nodeId);
  }

  retiredIds(): number[] {
    return [...this.#retired.keys()];
  }

  /** Where a node is, or was before it went: '' for the root; undefined for one that is not known. */
  path(nodeId: number): string | undefined {
    const index = this.#generation.indexOfNode(nodeId);
    if (index >= 0) return this.#generation.path(index);
    return this.#retired.get(nodeId)?.path;
  }

  /** The kernel may still have something of the tree before. */
  unsettled(): void {
    this.#changing = true;
  }

  /** The kernel has answered all that it was to be told of the swap. */
  settled(): void {
    this.#changing = false;
  }

  /** The swap. From here on the tree is changing, until it has settled. Returns the generation that was shown until now. */
  show(shown: Shown, changes: GenerationChanges): Generation {
    this.#changing = true;
    const old = this.#generation;
    const next = Generation.view(shown.generation);
    // Where something was removed, the directory it was in was touched: it has the instant of this publication.
    const instant = changes.touched[0];
    for (const index of changes.changedFrom) this.#retire(old, index);
    for (const index of changes.removed) {
      this.#retire(old, index);
      if (instant !== undefined && old.isDirectory(index)) this.#touch(old.nodeId(index), next, instant);
    }
    this.#generation = next;
    this.#stamps = new BigUint64Array(shown.stamps);
    return old;
  }

  /** A directory that comes back has its old node id again: the entry serves it from now on. */
  revive(nodeId: number): boolean {
    return this.#retired.delete(nodeId);
  }

  release(nodeIds: Iterable<number>): void {
    for (const nodeId of nodeIds) this.#retired.delete(nodeId);
  }

  /**
   * A removed directory is empty from now on, and says so by its mtime: a listing that the kernel was reading while
   * it was invalidated would otherwise stay cached for good.
   */
  #touch(nodeId: number, next: Generation, index: number): void {
    const node = this.#retired.get(nodeId);
    if (node === undefined) return;
    const mtimeSeconds = next.mtimeSeconds(index);
    const mtimeNanoseconds = next.mtimeNanoseconds(index);
    this.#retired.set(nodeId, { ...node, mtimeSeconds, mtimeNanoseconds });
  }

  #retire(generation: Generation, index: number): void {
    const directory = generation.isDirectory(index);
    const nodeId = generation.nodeId(index);
    this.#retired.set(nodeId, {
      nodeId,
      directory,
      archived: generation.isArchived(index),
      executable: generation.isExecutable(index),
      parentId: generation.nodeId(generation.parent(index)),
      size: directory ? 0 : generation.size(index),
      mtimeSeconds: generation.mtimeSeconds(index),
      mtimeNanoseconds: generation.mtimeNanoseconds(index),
      path: generation.path(index),
      lastModified: generation.lastModified(index),
      version: directory ? undefined : generation.version(index),
      stamp: directory ? 0n : Atomics.load(this.#stamps, index),
    });
  }
}
