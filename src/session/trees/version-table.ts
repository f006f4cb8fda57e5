import { LRUCache } from 'lru-cache';
import { isReleaseId } from '../../release/index.ts';
import { Generation } from '../../tree/index.ts';
import type { ServedVersion, VersionsServed } from '../messages.ts';
import type { Node, OwnChild, OwnDirectory } from './node.ts';
import {
  CURRENT_ROOT_ID,
  slotOf,
  VERSIONS_ID,
  versionCookie,
  versionOffset,
  versionRootId,
} from './node-ranges.ts';
import { type PlacedTree, Placement } from './placement.ts';

/**
 * The maximum number of ids of versions that are remembered because they were looked up and are not loaded.
 * The kernel must look up the name of a forgotten id again.
 */
const MOST_SOUGHT = 4096;
/**
 * The kernel looks up the name of a version again after this time, which shows that the version is in use.
 */
const VERSION_TTL_SECONDS = 60;

/** A version: the tree of a release, which never changes. */
export class VersionTree implements PlacedTree {
  readonly id: string;
  readonly generation: Generation;
  readonly placement: Placement;
  readonly name: Uint8Array;
  readonly fingerprints: BigUint64Array;
  /**
   * Whether the session may have given a node of this version to the kernel since VersionDrop last set this
   * field to false.
   */
  wasAsked = true;

  constructor({ id, slot, generation, fingerprints }: ServedVersion, salt: bigint) {
    this.id = id;
    this.name = Buffer.from(id, 'latin1');
    this.generation = Generation.view(generation);
    this.fingerprints = new BigUint64Array(fingerprints);
    const rootId = versionRootId(id, salt);
    this.placement = new Placement({ rootId, parentId: VERSIONS_ID, offset: versionOffset(slot) });
  }
}

/**
 * The loaded versions (trees of releases), which are independent of the current tree and its publications.
 * A lookup of a version that is not loaded gets an immediate reply, with a node id and with attributes that
 * the kernel must not use. The kernel then asks for the attributes, and that request waits for the source. A
 * LOOKUP must not wait, because it would hold the lock of `versions/` meanwhile. mkdir(2) and open(2) with
 * O_CREAT want that lock exclusively, even on a read-only mount, and would then block every other lookup and
 * listing.
 */
export class VersionTable {
  readonly #salt: bigint;
  readonly #onUse: (id: string) => void;
  readonly #byRoot = new Map<number, VersionTree>();
  readonly #bySlot = new Map<number, VersionTree>();
  readonly #sought = new LRUCache<number, string>({ max: MOST_SOUGHT });
  readonly #madeAt: OwnDirectory;
  #directory: OwnDirectory;
  #sorted: readonly VersionTree[] | undefined;

  /** `onUse` is called for lookups of a loaded version: once a minute while its name is used. */
  constructor({ madeAt, changedAt, versions }: VersionsServed, salt: bigint, onUse: (id: string) => void) {
    this.#salt = salt;
    this.#onUse = onUse;
    this.#madeAt = {
      nodeId: 1,
      parentId: 1,
      mtimeSeconds: madeAt.seconds,
      mtimeNanoseconds: madeAt.nanoseconds,
      subdirectories: 2,
      isFixed: true,
    };
    this.#directory = this.#madeAt;
    for (const version of versions) this.#put(version);
    this.#changed(changedAt);
  }

  /** The root of the mount. */
  get root(): OwnDirectory {
    return this.#madeAt;
  }

  /** The directory `versions/`. */
  get directory(): OwnDirectory {
    return this.#directory;
  }

  get size(): number {
    return this.#byRoot.size;
  }

  version(id: string): VersionTree | undefined {
    const tree = this.#byRoot.get(versionRootId(id, this.#salt));
    return tree?.id === id ? tree : undefined;
  }

  /** Returns the loaded version to which a root or an entry belongs; undefined for other node ids. */
  at(nodeId: number): VersionTree | undefined {
    const slot = slotOf(nodeId);
    return slot === undefined ? this.#byRoot.get(nodeId) : this.#bySlot.get(slot);
  }

  node(nodeId: number): Node | undefined {
    if (nodeId === VERSIONS_ID) return { kind: 'own', directory: this.#directory };
    const tree = this.at(nodeId);
    if (tree !== undefined) {
      tree.wasAsked = true;
      const index = tree.placement.indexOfNode(tree.generation, nodeId);
      return index < 0 ? undefined : { kind: 'entry', tree, index };
    }
    const id = this.#sought.get(nodeId);
    return id === undefined ? undefined : this.#seek(nodeId, id);
  }

  /**
   * Finds a name in `versions/`. Returns a node also for a version that is not loaded, and undefined if the
   * name is not a valid id.
   */
  child(name: Uint8Array): OwnChild | undefined {
    const id = Buffer.from(name.buffer, name.byteOffset, name.byteLength).toString('latin1');
    if (!isReleaseId(id)) return undefined;
    const rootId = versionRootId(id, this.#salt);
    const tree = this.#byRoot.get(rootId);
    if (tree?.id === id) {
      this.#onUse(id);
      return childOf(tree);
    }
    // Two version ids have the same node id. The loaded version stays, and the other one cannot be shown.
    if (tree !== undefined) return undefined;
    this.#sought.set(rootId, id);
    const node = this.#seek(rootId, id);
    return { name, cookie: versionCookie(rootId), node, ttlSeconds: 0 };
  }

  /** Lists the loaded versions whose cookie is above `after`, in the order of cookies. */
  *children(after: number): Generator<OwnChild> {
    this.#sorted ??= [...this.#byRoot.values()].sort(
      (one, other) => one.placement.rootId - other.placement.rootId,
    );
    for (const tree of this.#sorted) {
      if (versionCookie(tree.placement.rootId) > after) yield childOf(tree);
    }
  }

  /** Adds a version. No effect if it is already loaded. */
  add(version: ServedVersion, changedAt: VersionsServed['changedAt']): void {
    if (this.version(version.id) !== undefined) return;
    this.#put(version);
    this.#changed(changedAt);
  }

  /** Removes a version, which nothing may use any more. */
  remove(id: string, changedAt: VersionsServed['changedAt']): void {
    const tree = this.version(id);
    if (tree === undefined) return;
    this.#byRoot.delete(tree.placement.rootId);
    const slot = slotOf(tree.placement.placed(2));
    if (slot !== undefined) this.#bySlot.delete(slot);
    this.#changed(changedAt);
  }

  /** Forgets the id of a version that the source does not have. */
  forget(id: string): void {
    this.#sought.delete(versionRootId(id, this.#salt));
  }

  #seek(rootId: number, id: string): Node {
    return { kind: 'sought', rootId, id, parent: this.#directory };
  }

  #put(version: ServedVersion): void {
    const tree = new VersionTree(version, this.#salt);
    this.#byRoot.set(tree.placement.rootId, tree);
    this.#bySlot.set(version.slot, tree);
    this.#sought.delete(tree.placement.rootId);
  }

  #changed({ seconds, nanoseconds }: VersionsServed['changedAt']): void {
    this.#sorted = undefined;
    this.#directory = {
      nodeId: VERSIONS_ID,
      parentId: 1,
      mtimeSeconds: seconds,
      mtimeNanoseconds: nanoseconds,
      subdirectories: this.#byRoot.size,
      isFixed: false,
    };
  }
}

/** The placement of the current tree beside versions. */
export const BESIDE_VERSIONS = new Placement({ rootId: CURRENT_ROOT_ID, parentId: 1, offset: 0 });

function childOf(tree: VersionTree): OwnChild {
  const { placement, name } = tree;
  tree.wasAsked = true;
  return {
    name,
    cookie: versionCookie(placement.rootId),
    node: { kind: 'entry', tree, index: 0 },
    ttlSeconds: VERSION_TTL_SECONDS,
  };
}
