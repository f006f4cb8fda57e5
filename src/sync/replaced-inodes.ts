import type { Yielder } from '../base/yielder.ts';
import type { Generation, GenerationChanges } from '../tree/index.ts';
import type { Instant } from './instant.ts';
import type { ContentCachePort } from './ports.ts';
import type { ReplacedInode } from './replaced-inode.ts';

/**
 * Records what the kernel may still hold of earlier trees. This is the content of replaced versions, which is
 * pinned so that readers can finish, and the node ids of removed directories. A directory that returns gets
 * its node id back.
 */
export class ReplacedInodes {
  readonly #cache: Pick<ContentCachePort, 'pin' | 'unpin'>;
  /**
   * The inodes by node id. A version that came, went and came back has several ids, each with its own pin.
   */
  readonly #nodes = new Map<number, ReplacedInode>();
  #files = 0;
  readonly #removedDirectories: Map<string, number>;
  readonly #removedPaths = new Map<number, string>();

  constructor(
    cache: Pick<ContentCachePort, 'pin' | 'unpin'>,
    removedDirectories: ReadonlyMap<string, number> = new Map(),
    replaced: readonly ReplacedInode[] = [],
  ) {
    this.#cache = cache;
    this.#removedDirectories = new Map(removedDirectories);
    for (const [path, nodeId] of removedDirectories) this.#removedPaths.set(nodeId, path);
    for (const node of replaced) this.#hold(node);
  }

  /** The node ids of removed directories, by path. */
  get removedDirectories(): ReadonlyMap<string, number> {
    return this.#removedDirectories;
  }

  /** The number of replaced file versions that the kernel may hold. */
  get versions(): number {
    return this.#files;
  }

  /** All inodes of earlier trees that the kernel may hold, for a successor. */
  get replaced(): Iterable<ReplacedInode> {
    return this.#nodes.values();
  }

  /** Returns the node ids that this path had as a replaced or removed file, or as a removed directory. */
  nodeIdsOf(path: string): readonly number[] {
    const found: number[] = [];
    for (const [nodeId, node] of this.#nodes) if (node.path === path) found.push(nodeId);
    return found;
  }

  /**
   * Records the inodes that a publication replaces or removes. Called before the state is persisted, because
   * the state includes them. From the swap on the kernel may forget such an inode at any time, and until then
   * the cache must not evict its content. If the swap fails, the records are harmless.
   */
  async add(previous: Generation, changes: GenerationChanges, yielder: Yielder): Promise<void> {
    for (const indices of [changes.changedFrom, changes.removed]) {
      for (const index of indices) {
        const node = nodeOf(previous, index);
        this.#hold(node);
        if (node.directory) this.#bury(node.path, node.nodeId);
        if (yielder.due()) await yielder.turn();
      }
    }
  }

  /** Gives the directories that a publication removed its instant as their last mtime. */
  dated(instant: Instant): void {
    for (const [nodeId, node] of this.#nodes) {
      if (node.mtime === undefined) this.#nodes.set(nodeId, { ...node, mtime: instant });
    }
  }

  /**
   * Forgets removed directories that returned under their old node id and are shown again. Called after the
   * swap.
   */
  async revive(next: Generation, changes: GenerationChanges, yielder: Yielder): Promise<void> {
    if (this.#removedDirectories.size === 0) return;
    for (const index of changes.added) {
      if (next.isDirectory(index) && this.#removedPaths.has(next.nodeId(index))) {
        this.release([next.nodeId(index)]);
      }
      if (yielder.due()) await yielder.turn();
    }
  }

  /** Forgets these node ids, because the kernel no longer holds them, and unpins their content. */
  release(nodeIds: readonly number[]): void {
    for (const nodeId of nodeIds) {
      this.#forget(nodeId);
      const node = this.#nodes.get(nodeId);
      if (node === undefined) continue;
      this.#nodes.delete(nodeId);
      if (node.version === undefined) continue;
      this.#files -= 1;
      this.#cache.unpin(node.version.name);
    }
  }

  #hold(node: ReplacedInode): void {
    const held = this.#nodes.get(node.nodeId);
    this.#nodes.set(node.nodeId, node);
    if (held !== undefined || node.version === undefined) return;
    this.#files += 1;
    this.#cache.pin(node.version.name);
  }

  #bury(path: string, nodeId: number): void {
    const earlier = this.#removedDirectories.get(path);
    if (earlier !== undefined) this.#removedPaths.delete(earlier);
    this.#removedDirectories.set(path, nodeId);
    this.#removedPaths.set(nodeId, path);
  }

  #forget(nodeId: number): void {
    const path = this.#removedPaths.get(nodeId);
    if (path === undefined) return;
    this.#removedPaths.delete(nodeId);
    this.#removedDirectories.delete(path);
  }
}

function nodeOf(generation: Generation, index: number): ReplacedInode {
  const directory = generation.isDirectory(index);
  return {
    nodeId: generation.nodeId(index),
    directory,
    archived: generation.isArchived(index),
    executable: generation.isExecutable(index),
    parentId: generation.nodeId(generation.parent(index)),
    path: generation.path(index),
    version: directory ? undefined : generation.version(index),
    lastModified: generation.lastModified(index),
    mtime: directory
      ? undefined
      : { seconds: generation.mtimeSeconds(index), nanoseconds: generation.mtimeNanoseconds(index) },
  };
}
