import type { Generation, GenerationChanges } from '../tree/index.ts';
import type { Pace } from './pace.ts';
import type { ContentCachePort } from './ports.ts';

/**
 * What the kernel may still hold of trees that are shown no more: the content of replaced versions, pinned so
 * that a reader goes on reading it, and the node ids of removed directories, which they get back if they return.
 */
export class Retired {
  readonly #cache: Pick<ContentCachePort, 'pin' | 'unpin'>;
  /** Version name by node id. One version may have had several ids, each with its pin: it came, went and came back. */
  readonly #versions = new Map<number, string>();
  readonly #tombstones: Map<string, number>;
  readonly #pathsOfTombstones = new Map<number, string>();

  constructor(
    cache: Pick<ContentCachePort, 'pin' | 'unpin'>,
    tombstones: ReadonlyMap<string, number> = new Map(),
  ) {
    this.#cache = cache;
    this.#tombstones = new Map(tombstones);
    for (const [path, nodeId] of tombstones) this.#pathsOfTombstones.set(nodeId, path);
  }

  /** Removed directories by path. */
  get tombstones(): ReadonlyMap<string, number> {
    return this.#tombstones;
  }

  /** Replaced file versions that the kernel may hold. */
  get versions(): number {
    return this.#versions.size;
  }

  /**
   * Before the swap: from the swap on the kernel may let go at any moment, and the cache must not have evicted
   * what it still holds. Where the swap then fails, what is registered here does no harm.
   */
  async add(previous: Generation, changes: GenerationChanges, pace: Pace): Promise<void> {
    for (const indices of [changes.changedFrom, changes.removed]) {
      for (const index of indices) {
        if (previous.isDirectory(index)) this.#bury(previous.path(index), previous.nodeId(index));
        else this.#hold(previous.nodeId(index), previous.versionName(index));
        if (pace.due()) await pace.turn();
      }
    }
  }

  /** After the swap: directories that came back under their old node id are shown again. */
  async revive(next: Generation, changes: GenerationChanges, pace: Pace): Promise<void> {
    if (this.#tombstones.size === 0) return;
    for (const index of changes.added) {
      if (next.isDirectory(index) && this.#pathsOfTombstones.has(next.nodeId(index))) {
        this.#forget(next.nodeId(index));
      }
      if (pace.due()) await pace.turn();
    }
  }

  /** The kernel holds these node ids no longer. */
  release(nodeIds: readonly number[]): void {
    for (const nodeId of nodeIds) {
      this.#forget(nodeId);
      const name = this.#versions.get(nodeId);
      if (name === undefined) continue;
      this.#versions.delete(nodeId);
      this.#cache.unpin(name);
    }
  }

  #hold(nodeId: number, name: string): void {
    if (this.#versions.has(nodeId)) return;
    this.#versions.set(nodeId, name);
    this.#cache.pin(name);
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
