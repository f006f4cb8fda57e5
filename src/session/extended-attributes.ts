import { type ContentVersion, type Generation, listedEtag } from '../tree/index.ts';
import { FUSE_ROOT_ID } from '../wire/index.ts';
import type { AskedVersion } from './asked-version.ts';
import type { Refusal } from './errno.ts';
import type { Naming } from './naming.ts';
import { type AskedRoot, ROOT_ATTRIBUTES } from './root-attributes.ts';
import type { HeldInode } from './trees/held-inode.ts';
import type { MountedTrees } from './trees/mounted-trees.ts';

type Attribute = 'key' | 'etag' | 'generation' | 'last-modified' | 'layout' | 'release' | 'source';
/** The values of a node's attributes. An undefined or empty value means that the value is unknown. */
type Values = Readonly<Partial<Record<Attribute, string | undefined>>>;

const NAMESPACE = 'user.dagmount.';
const USER_NAMESPACE = 'user.';
const NO_NAMES = new Uint8Array(0);
const VERSION_ID = Buffer.from(`${NAMESPACE}version-id`);

/**
 * Answers queries for the extended attributes `user.dagmount.…`. These nodes have them:
 * - files: key, etag, version-id and last-modified
 * - the root of a tree that may change, and the mount's root unless the mount shows several trees:
 *   generation, source, and the attributes that only the main thread knows (root-attributes.ts)
 * - the mount's root if the mount shows several trees, and the roots of the mount and of its current tree if
 *   the mount shows versions: layout
 * - the root of a version: release
 * The kernel caches none of these attributes, so each query is a request, and its answer is current.
 *
 * A reader gets an attribute by its name. listxattr(2) returns no names, so that `cp -a` and `rsync -X` do
 * not copy the attributes. The attributes of a file change only when the file does; the generation, which
 * changes with every publication, is on the root.
 */
export class ExtendedAttributes {
  readonly #namings: readonly Naming[];

  /** `namings`: the naming of each tree, by tree number. */
  constructor(namings: readonly Naming[]) {
    this.#namings = namings;
  }

  /**
   * Returns the value of an attribute, or a refusal. The kernel and `ls -l` also ask for security.capability
   * and POSIX ACLs. These names do not begin with `user.`, so they are refused as foreign.
   */
  value(trees: MountedTrees, nodeId: number, name: Uint8Array): Uint8Array | Refusal {
    const asked = Buffer.from(name.buffer, name.byteOffset, name.byteLength).toString('latin1');
    if (!asked.startsWith(USER_NAMESPACE)) return 'foreign-attribute';
    const values = this.#values(trees, nodeId);
    if (values === undefined) return 'forgotten';
    const attribute = asked.startsWith(NAMESPACE) ? asked.slice(NAMESPACE.length) : '';
    const value = Object.hasOwn(values, attribute) ? values[attribute as Attribute] : undefined;
    return value === undefined || value === '' ? 'no-attribute' : Buffer.from(value);
  }

  /**
   * Returns the file version of a node if a reader asks for `version-id`, otherwise undefined. Only the main
   * thread knows the value, because the store reports it in its responses.
   */
  versionAsked(trees: MountedTrees, nodeId: number, name: Uint8Array): AskedVersion | undefined {
    if (!VERSION_ID.equals(name)) return undefined;
    const node = trees.node(nodeId);
    const tree = trees.numberOf(nodeId);
    if (node?.kind === 'held') {
      const { version } = node.inode;
      return version && { tree, path: version.path, etag: version.etag };
    }
    if (node?.kind !== 'entry') return undefined;
    const { index } = node;
    const { generation } = node.tree;
    if (generation.isDirectory(index)) return undefined;
    return { tree, path: generation.path(index), etag: generation.etag(index) };
  }

  /**
   * Returns the tree and the attribute if the node is a root (rootOf) and only the main thread knows the
   * attribute; otherwise undefined.
   */
  rootAsked(trees: MountedTrees, nodeId: number, name: Uint8Array): AskedRoot | undefined {
    const tree = trees.rootOf(nodeId);
    const attribute = ROOT_ATTRIBUTES.find((each) => Buffer.from(NAMESPACE + each).equals(name));
    return tree === undefined || attribute === undefined ? undefined : { tree, attribute };
  }

  /**
   * Returns an empty list of names, or a refusal if the node is unknown. The reply must not be ENOSYS, which
   * would make listxattr(2) fail for the whole connection.
   */
  names(trees: MountedTrees, nodeId: number): Uint8Array | Refusal {
    return this.#values(trees, nodeId) === undefined ? 'forgotten' : NO_NAMES;
  }

  #values(trees: MountedTrees, nodeId: number): Values | undefined {
    const root = trees.rootOf(nodeId);
    if (root !== undefined) {
      const layout = trees.versions === undefined ? undefined : 'versions';
      return { generation: trees.at(root)?.label, source: this.#namings[root]?.source, layout };
    }
    const node = trees.node(nodeId);
    const naming = this.#namings[trees.numberOf(nodeId)]!;
    switch (node?.kind) {
      case undefined:
      // The version is not loaded. After ESTALE the kernel looks up the path again, which loads the version,
      // and repeats the query.
      case 'sought':
        return undefined;
      case 'own':
        return node.directory.nodeId === FUSE_ROOT_ID ? { layout: 'trees' } : {};
      case 'held':
        return ofHeld(node.inode, naming);
      case 'entry': {
        const { index } = node;
        const { generation } = node.tree;
        if (!generation.isDirectory(index)) return ofFile(generation, index, naming);
        return index === 0 ? { release: trees.versions?.at(nodeId)?.id } : {};
      }
      default:
        return node satisfies never;
    }
  }
}

function ofFile(generation: Generation, index: number, naming: Naming): Values {
  return {
    key: keyOf(generation.version(index), naming),
    etag: listedEtag(generation.etag(index)),
    'last-modified': dateText(generation.lastModified(index)),
  };
}

/**
 * Returns the values for a replaced file version that a process still holds open. No shown generation
 * contains it.
 */
function ofHeld({ version, lastModified }: HeldInode, naming: Naming): Values {
  if (version === undefined) return {};
  return {
    key: keyOf(version, naming),
    etag: listedEtag(version.etag),
    'last-modified': dateText(lastModified),
  };
}

/**
 * Returns the key of the object that contains the file's content: the file's own object or, in a release, a
 * pack. Undefined for an empty file of a release, whose content is in no object.
 */
function keyOf(
  { path, place }: Pick<ContentVersion, 'path' | 'place'>,
  { keyPrefix, packPrefix }: Naming,
): string | undefined {
  if (packPrefix === undefined) return keyPrefix + path;
  return place === undefined ? undefined : packPrefix + place.pack;
}

/** Formats whole seconds since the epoch; undefined if 0, which means that the store gave no date. */
function dateText(seconds: number): string | undefined {
  return seconds === 0 ? undefined : new Date(1000 * seconds).toISOString();
}
