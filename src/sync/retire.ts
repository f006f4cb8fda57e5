import type { Generation, GenerationChanges } from '../tree/index.ts';
import type { Instant } from './instant.ts';
import type { Pace } from './pace.ts';
import type { ContentCachePort } from './ports.ts';
import type { ReplacedNode } from './replaced-node.ts';

/**
 * What the kernel may still hold of trees that are shown no more: the content of replaced versions, pinned so
 * that a reader goes on reading it, and the node ids of removed directories, which they get back if they return.
 */
export class Retired {
  readonly #cache: Pick<ContentCachePort, 'pin' | 'unpin'>;
  /** By node id. One version may have had several ids, each with its pin: it came, went and came back. */
  readonly #nodes = new Map<number, ReplacedNode>();
  #files = 0;
  readonly #tombstones: Map<string, number>;
  readonly #pathsOfTombstones = new Map<number, string>();

  constructor(
    cache: Pick<ContentCachePort, 'pin' | 'unpin'>,
    tombstones: ReadonlyMap<string, number> = new Map(),
    replaced: readonly ReplacedNode[] = [],
  ) {
    this.#cache = cache;
    this.#tombstones = new Map(tombstones);
    for (const [path, nodeId] of tombstones) this.#pathsOfTombstones.set(nodeId, path);
    for (const node of replaced) this.#hold(node);
  }

  /** Removed directories by path. */
  get tombstones(): ReadonlyMap<string, number> {
    return this.#tombstones;
  }

  /** Replaced file versions that the kernel may hold. */
  get versions(): number {
    return this.#files;
  }

  /** All that the kernel may hold, for a successor. */
  get replaced(): Iterable<ReplacedNode> {
    return this.#nodes.values();
  }

  /** Of versions of this path that were replaced or went, and of a directory that went. */
  nodeIdsOf(path: string): readonly number[] {
    const found: number[] = [];
    for (const [nodeId, node] of this.#nodes) if (node.path === path) found.push(nodeId);
    return found;
  }

  /**
   * Before the state is persisted, which has it: from the swap on the kernel may let go at any moment, and the cache must not have evicted
   * what it still holds. Where the swap then fails, what is registered here does no harm.
   */
  async add(previous: Generation, changes: GenerationChanges, pace: Pace): Promise<void> {
    for (const indices of [changes.changedFrom, changes.removed]) {
      for (const index of indices) {
        const node = nodeOf(previous, index);
        this.#hold(node);
        if (node.directory) this.#bury(node.path, node.nodeId);
        if (pace.due()) await pace.turn();
      }
    }
  }

  /** Directories that went with a publication have its instant as their last mtime. */
  dated(instant: Instant): void {
    for (const [nodeId, node] of this.#nodes) {
      if (node.mtime === undefined) this.#nodes.set(nodeId, { ...node, mtime: instant });
    }
  }

  /** After the swap: directories that came back under their old node id are shown again. */
  async revive(next: Generation, changes: GenerationChanges, pace: Pace): Promise<void> {
    if (this.#tombstones.size === 0) return;
    for (const index of changes.added) {
      if (next.isDirectory(index) && this.#pathsOfTombstones.has(next.nodeId(index))) {
        this.release([next.nodeId(index)]);
      }
      if (pace.due()) await pace.turn();
    }
  }

  /** The kernel holds these node ids no longer. */
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

  #hold(node: ReplacedNode): void {
    const held = this.#nodes.get(node.nodeId);
    this.#nodes.set(node.nodeId, node);
    if (held !== undefined || node.version === undefined) return;
    this.#files += 1;
    this.#cache.pin(node.version.name);
  }

  #bury(path: string, nodeId: number): void {
    const earlier = this.#tombstones.get(path);
    if (earlier !== undefined) this.#pathsOfTombstones.delete(earlier);
    this.#tombstones.set(path, nodeId);
    this.#pathsOfTombstones.set(nodeId, path);
  }

  #forget(nodeId: number): void {
    const path = this.#pathsOfTombstones.get(nodeId);
    if (path === undefined) return;
    this.#pathsOfTombstones.delete(nodeId);
    this.#tombstones.delete(path);
  }
}

function nodeOf(generation: Generation, index: number): ReplacedNode {
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
