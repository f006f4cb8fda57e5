import { FOREVER, FUSE_ROOT_ID } from '../../wire/index.ts';
import type { Node, OwnChild, OwnDirectory } from './node.ts';
import { VERSIONS_ID } from './node-ranges.ts';
import type { PlacedTree } from './placement.ts';
import type { ShownTree } from './shown-tree.ts';
import type { VersionTable } from './version-table.ts';

const CURRENT = Buffer.from('current');
const VERSIONS = Buffer.from('versions');
/** Cookies below 16 are reserved for "." and "..". */
const CURRENT_COOKIE = 16;
const VERSIONS_COOKIE = 17;
/**
 * How long the kernel may cache the attributes of the mount's own directories: after that it reads the listing of
 * `versions/` again if it changed.
 */
export const OWN_TTL_SECONDS = 1;

/** The trees that a mount shows: a single tree, or a current tree and versions that never change. */
export class MountedTrees {
  readonly current: ShownTree;
  readonly versions: VersionTable | undefined;

  constructor(current: ShownTree, versions?: VersionTable) {
    this.current = current;
    this.versions = versions;
  }

  /** Undefined if the node id is unknown. */
  node(nodeId: number): Node | undefined {
    const { current, versions } = this;
    const index = current.placement.indexOfNode(current.generation, nodeId);
    if (index >= 0) return { kind: 'entry', tree: current, index };
    const inode = current.held(nodeId);
    if (inode !== undefined) return { kind: 'held', inode };
    if (versions === undefined) return undefined;
    return nodeId === versions.root.nodeId
      ? { kind: 'own', directory: versions.root }
      : versions.node(nodeId);
  }

  /** Finds the node at a path below the mount's root, '' for the root itself; undefined if there is none. */
  find(path: string): Node | undefined {
    const { current, versions } = this;
    if (versions === undefined) return entryAt(current, path);
    let node: Node | undefined = { kind: 'own', directory: versions.root };
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
    if (versions === undefined) return undefined;
    if (directory.nodeId === VERSIONS_ID) return versions.child(name);
    return this.#children(versions).find((child) => equal(child.name, name));
  }

  /** Lists the entries after a cookie, in the order of their cookies. */
  *ownChildren(directory: OwnDirectory, after: number): Generator<OwnChild> {
    const { versions } = this;
    if (versions === undefined) return;
    if (directory.nodeId === VERSIONS_ID) yield* versions.children(after);
    else yield* this.#children(versions).filter(({ cookie }) => cookie > after);
  }

  /** The path of a node, or its last path if it was removed; '' for the root, undefined if unknown. */
  path(nodeId: number): string | undefined {
    const node = this.node(nodeId);
    if (this.versions === undefined || node === undefined) return this.current.path(nodeId);
    switch (node.kind) {
      case 'own':
        return node.directory.nodeId === VERSIONS_ID ? 'versions' : '';
      case 'sought':
        return `versions/${node.id}`;
      case 'held':
        return node.inode.path === undefined ? undefined : `current/${node.inode.path}`;
      case 'entry': {
        const path = node.tree.generation.path(node.index);
        const version = this.versions.at(nodeId);
        const root = version === undefined ? 'current' : `versions/${version.id}`;
        return path === '' ? root : `${root}/${path}`;
      }
      default:
        return node satisfies never;
    }
  }

  /** Whether the node is the root of the mount, or of the current tree. */
  isRoot(nodeId: number): boolean {
    return nodeId === FUSE_ROOT_ID || nodeId === this.current.placement.rootId;
  }

  #children({ directory }: VersionTable): readonly OwnChild[] {
    return [
      {
        name: CURRENT,
        cookie: CURRENT_COOKIE,
        node: { kind: 'entry', tree: this.current, index: 0 },
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

function entryAt(tree: PlacedTree, path: string): Node | undefined {
  const index = tree.generation.find(path);
  return index < 0 ? undefined : { kind: 'entry', tree, index };
}

function equal(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}
