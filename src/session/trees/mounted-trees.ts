import { FOREVER, FUSE_ROOT_ID } from '../../wire/index.ts';
import type { LeftOfTree, MountedTree, ShownSince } from '../messages.ts';
import type { Node, OwnChild, OwnDirectory } from './node.ts';
import { VERSIONS_ID } from './node-ranges.ts';
import { type PlacedTree, type Placement, WHOLE_MOUNT } from './placement.ts';
import { ShownTree } from './shown-tree.ts';
import { OWN_TTL_SECONDS, TreeDirectories } from './tree-directories.ts';
import { BESIDE_VERSIONS, type VersionTable } from './version-table.ts';

const CURRENT = Buffer.from('current');
const VERSIONS = Buffer.from('versions');
/** Cookies below 16 are reserved for "." and "..". */
const CURRENT_COOKIE = 16;
const VERSIONS_COOKIE = 17;

/** How many seconds the kernel may cache the attributes of one of the mount's own directories. */
export function ownTtlSeconds({ isFixed }: OwnDirectory): number {
  return isFixed ? FOREVER : OWN_TTL_SECONDS;
}

/** How many seconds the kernel may cache that one of the mount's own directories lacks a name. */
export function absentTtlSeconds({ isFixed }: OwnDirectory): number {
  return isFixed ? FOREVER : 0;
}

/**
 * All trees of a mount. A mount shows a single tree, or a current tree and versions (trees of releases, which
 * never change), or several trees below directories of its own. A tree's number is its index among the trees
 * with which the session was started.
 */
export class MountedTrees {
  readonly versions: VersionTable | undefined;
  readonly #directories: TreeDirectories | undefined;
  readonly #shown: (ShownTree | undefined)[] = [];

  constructor(
    trees: readonly Pick<MountedTree, 'path' | 'shown' | 'left'>[],
    versionsOver?: (first: ShownTree) => VersionTable,
  ) {
    const [first] = trees;
    if (first === undefined) throw new TypeError('a mount shows at least one tree');
    if (first.path !== '') this.#directories = new TreeDirectories(trees.map(({ path }) => path));
    const placement = versionsOver === undefined ? WHOLE_MOUNT : BESIDE_VERSIONS;
    for (const [number, { shown, left }] of trees.entries()) {
      this.#shown.push(undefined);
      if (shown !== undefined)
        this.#show(number, shown, left?.replaced, this.#directories?.placement(number) ?? placement);
    }
    this.versions = versionsOver?.(this.first);
  }

  /** The first tree that is shown. */
  get first(): ShownTree {
    const first = this.#shown.find((tree) => tree !== undefined);
    if (first === undefined) throw new TypeError('no tree is shown');
    return first;
  }

  /** The shown trees that may change; versions are not among them. */
  get shown(): readonly ShownTree[] {
    return this.#shown.filter((tree) => tree !== undefined);
  }

  /** Returns the tree with this number, or undefined if it is not shown yet. */
  at(number: number): ShownTree | undefined {
    return this.#shown[number];
  }

  /** Shows one of several trees in its directory for the first time. */
  show(number: number, shown: ShownSince): void {
    const placement = this.#directories?.placement(number);
    if (placement === undefined || this.#shown[number] !== undefined)
      throw new TypeError(`tree ${number} is shown already`);
    this.#show(number, shown, [], placement);
  }

  /**
   * Returns the number of the tree to which a node belongs, also if the node is held. Returns 0 for all other
   * nodes: those of versions, and the mount's own directories.
   */
  numberOf(nodeId: number): number {
    return this.#directories?.treeOf(nodeId) ?? 0;
  }

  /**
   * Returns the number of the tree whose root this node is, or undefined. The root of the mount counts as the
   * root of its current tree, unless the mount shows several trees.
   */
  rootOf(nodeId: number): number | undefined {
    if (this.#directories === undefined)
      return nodeId === FUSE_ROOT_ID || nodeId === this.first.placement.rootId ? 0 : undefined;
    const number = this.#directories.treeOf(nodeId);
    return number !== undefined && this.#shown[number]?.placement.rootId === nodeId ? number : undefined;
  }

  /** Returns the held node with this id: a node that only an earlier generation of a tree contains. */
  held(nodeId: number): Extract<Node, { readonly kind: 'held' }>['inode'] | undefined {
    return this.#shown[this.numberOf(nodeId)]?.held(nodeId);
  }

  heldIds(): number[] {
    return this.shown.flatMap((tree) => tree.heldIds());
  }

  get heldCount(): number {
    return this.shown.reduce((sum, { heldCount }) => sum + heldCount, 0);
  }

  release(nodeIds: readonly number[]): void {
    for (const nodeId of nodeIds) this.#shown[this.numberOf(nodeId)]?.release([nodeId]);
  }

  /** Groups nodes by tree, and converts the node ids into those in the tree's generations (Placement). */
  *byTree(nodeIds: readonly number[]): Generator<[tree: number, ownIds: readonly number[]]> {
    for (const [number, tree] of this.#shown.entries()) {
      const own = nodeIds.filter((nodeId) => this.numberOf(nodeId) === number);
      if (tree !== undefined && own.length > 0)
        yield [number, own.map((nodeId) => tree.placement.ownId(nodeId))];
    }
  }

  /** Returns the node with this id, or undefined if the id is unknown. */
  node(nodeId: number): Node | undefined {
    const tree = this.#shown[this.numberOf(nodeId)];
    if (tree !== undefined) {
      const index = tree.placement.indexOfNode(tree.generation, nodeId);
      if (index >= 0) return { kind: 'entry', tree, index };
      const inode = tree.held(nodeId);
      if (inode !== undefined) return { kind: 'held', inode };
    }
    const { versions } = this;
    if (versions !== undefined) {
      return nodeId === versions.root.nodeId
        ? { kind: 'own', directory: versions.root }
        : versions.node(nodeId);
    }
    const directory = this.#directories?.directory(nodeId);
    return directory && { kind: 'own', directory };
  }

  /** Finds the node at a path below the mount's root, '' for the root itself; undefined if there is none. */
  find(path: string): Node | undefined {
    let node = this.node(FUSE_ROOT_ID);
    let rest = path;
    while (rest !== '' && node !== undefined) {
      if (node.kind === 'entry') return entryAt(node.tree, rest);
      if (node.kind !== 'own') return node;
      const slash = rest.indexOf('/');
      const name = slash < 0 ? rest : rest.slice(0, slash);
      rest = slash < 0 ? '' : rest.slice(slash + 1);
      node = this.ownChild(node.directory, Buffer.from(name))?.node;
    }
    return node;
  }

  /** Finds a name in one of the mount's own directories. */
  ownChild(directory: OwnDirectory, name: Uint8Array): OwnChild | undefined {
    const { versions } = this;
    if (versions !== undefined && directory.nodeId === VERSIONS_ID) return versions.child(name);
    for (const child of this.ownChildren(directory, 0)) if (equal(child.name, name)) return child;
    return undefined;
  }

  /**
   * Lists the entries of one of the mount's own directories whose cookie is above `after`, in the order of
   * cookies.
   */
  *ownChildren(directory: OwnDirectory, after: number): Generator<OwnChild> {
    const { versions } = this;
    if (versions === undefined) yield* this.#aboveTrees(directory, after);
    else if (directory.nodeId === VERSIONS_ID) yield* versions.children(after);
    else yield* this.#besideVersions(versions).filter(({ cookie }) => cookie > after);
  }

  /**
   * Returns the path of a node below the mount's root. Returns the last path of a removed node, and undefined
   * for an unknown node.
   */
  path(nodeId: number): string | undefined {
    const node = this.node(nodeId);
    switch (node?.kind) {
      case undefined:
        return undefined;
      case 'own':
        if (this.versions === undefined) return this.#directories?.path(nodeId);
        return node.directory.nodeId === VERSIONS_ID ? 'versions' : '';
      case 'sought':
        return `versions/${node.id}`;
      case 'held':
        return node.inode.path === undefined ? undefined : below(this.#rootPath(nodeId), node.inode.path);
      case 'entry':
        return below(this.#rootPath(nodeId), node.tree.generation.path(node.index));
      default:
        return node satisfies never;
    }
  }

  /** Returns the path of the root of the tree to which a node belongs. */
  #rootPath(nodeId: number): string {
    if (this.versions !== undefined) {
      const version = this.versions.at(nodeId);
      return version === undefined ? 'current' : `versions/${version.id}`;
    }
    return this.#directories?.treePath(this.numberOf(nodeId)) ?? '';
  }

  #show(
    number: number,
    shown: ShownSince,
    replaced: LeftOfTree['replaced'] | undefined,
    placement: Placement,
  ): void {
    this.#shown[number] = new ShownTree(shown, replaced, placement);
    this.#directories?.show(number, shown.since);
  }

  *#aboveTrees({ nodeId }: OwnDirectory, after: number): Generator<OwnChild> {
    for (const { leadsTo, ...child } of this.#directories?.names(nodeId, after) ?? []) {
      if ('directory' in leadsTo) yield { ...child, node: { kind: 'own', directory: leadsTo.directory } };
      else {
        const tree = this.#shown[leadsTo.tree];
        if (tree !== undefined) yield { ...child, node: { kind: 'entry', tree, index: 0 } };
      }
    }
  }

  #besideVersions({ directory }: VersionTable): readonly OwnChild[] {
    return [
      {
        name: CURRENT,
        cookie: CURRENT_COOKIE,
        node: { kind: 'entry', tree: this.first, index: 0 },
        ttlSeconds: FOREVER,
      },
      {
        name: VERSIONS,
        cookie: VERSIONS_COOKIE,
        node: { kind: 'own', directory },
        ttlSeconds: OWN_TTL_SECONDS,
      },
    ];
  }
}

function below(root: string, path: string): string {
  return root === '' || path === '' ? root + path : `${root}/${path}`;
}

function entryAt(tree: PlacedTree, path: string): Node | undefined {
  const index = tree.generation.find(path);
  return index < 0 ? undefined : { kind: 'entry', tree, index };
}

function equal(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}
