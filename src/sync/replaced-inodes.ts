import type { Yielder } from '../base/yielder.ts';
import type { Generation, GenerationChanges } from '../tree/index.ts';
import type { Instant } from './instant.ts';
import type { ContentCachePort } from './ports.ts';
import type { ReplacedInode } from './replaced-inode.ts';

/**
 * What the kernel may still hold of earlier trees: the content of replaced versions, pinned so that readers can
 * finish, and the node ids of removed directories, which a directory gets back if it returns.
 */
export class ReplacedInodes {
  readonly #cache: Pick<ContentCachePort, 'pin' | 'unpin'>;
  /** By node id. A version that came, went and came back has several ids, each with its own pin. */
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

  /** Removed directories by path. */
  get removedDirectories(): ReadonlyMap<string, number> {
    return this.#removedDirectories;
  }

  /** Replaced file versions that the kernel may hold. */
  get versions(): number {
    return this.#files;
  }

  /** Everything that the kernel may hold, for a successor. */
  get replaced(): Iterable<ReplacedInode> {
    return this.#nodes.values();
  }

  /** Node ids of this path's replaced or removed versions, and of a removed directory. */
  nodeIdsOf(path: string): readonly number[] {
    const found: number[] = [];
    for (const [nodeId, node] of this.#nodes) if (node.path === path) found.push(nodeId);
    return found;
  }

  /**
   * Called before the state is persisted, which includes it. From the swap on the kernel may forget a node at any
   * time, and until then the cache must not evict its content. If the swap fails, the entries are harmless.
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

  /** Directories removed by a publication get its instant as their last mtime. */
  dated(instant: Instant): void {
    for (const [nodeId, node] of this.#nodes) {
      if (node.mtime === undefined) this.#nodes.set(nodeId, { ...node, mtime: instant });
    }
  }

  /** After the swap: directories that returned under their old node id are shown again. */
  async revive(next: Generation, changes: GenerationChanges, yielder: Yielder): Promise<void> {
    if (this.#removedDirectories.size === 0) return;
    for (const index of changes.added) {
      if (next.isDirectory(index) && this.#removedPaths.has(next.nodeId(index))) {
        this.release([next.nodeId(index)]);
      }
      if (yielder.due()) await yielder.turn();
    }
  }

  /** The kernel no longer holds these node ids. */
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
