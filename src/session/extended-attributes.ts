import { type ContentVersion, type Generation, listedEtag } from '../tree/index.ts';
import { FUSE_ROOT_ID } from '../wire/index.ts';
import type { AskedVersion } from './asked-version.ts';
import type { Refusal } from './errno.ts';
import type { Naming } from './naming.ts';
import { type AskedRoot, ROOT_ATTRIBUTES } from './root-attributes.ts';
import type { HeldInode } from './trees/held-inode.ts';
import type { MountedTrees } from './trees/mounted-trees.ts';

type Attribute = 'key' | 'etag' | 'generation' | 'last-modified' | 'layout' | 'release' | 'source';
/** Undefined or empty: the value is unknown. */
type Values = Readonly<Partial<Record<Attribute, string | undefined>>>;

const NAMESPACE = 'user.dagmount.';
const USER_NAMESPACE = 'user.';
const NO_NAMES = new Uint8Array(0);
const VERSION_ID = Buffer.from(`${NAMESPACE}version-id`);

/**
 * The extended attributes `user.dagmount.…`: key, etag, version-id and last-modified on files; generation and source on
 * the root of a tree, and on the mount's root unless it shows several trees; layout on the mount's root, and on that of
 * its current tree, if the mount shows several trees or versions; release on the root of a version. A root with a
 * generation also has attributes that only the main thread knows (root-attributes.ts). The kernel caches none of these
 * attributes: each query is a request, and its answer is current.
 *
 * They can be read by name but are not listed (listxattr(2) returns no names), so that `cp -a` and `rsync -X` do not
 * copy them. A file's attributes change only when the file does; the generation, which changes with every publication,
 * is on the root.
 */
export class ExtendedAttributes {
  readonly #namings: readonly Naming[];

  /** `namings`: of the trees, by number. */
  constructor(namings: readonly Naming[]) {
    this.#namings = namings;
  }

  /**
   * Returns the value, or why there is none. The kernel and `ls -l` also ask for security.capability and POSIX ACLs,
   * which are in other namespaces.
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
   * Returns the version if its `version-id` is requested. Only the main thread knows that id: the store reports it in
   * its responses.
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

  /** Returns the attribute if it is one of a tree's root, or of the only tree's mount, that only the main thread knows. */
  rootAsked(trees: MountedTrees, nodeId: number, name: Uint8Array): AskedRoot | undefined {
    const tree = trees.rootOf(nodeId);
    const attribute = ROOT_ATTRIBUTES.find((each) => Buffer.from(NAMESPACE + each).equals(name));
    return tree === undefined || attribute === undefined ? undefined : { tree, attribute };
  }

  /**
   * Returns the names (none), or a refusal. Not ENOSYS, which would make listxattr(2) fail for the whole connection.
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
      // The kernel looks up the version first, and then asks for this attribute again by its path.
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

/** A replaced version that a process still holds open: it belongs to no shown generation. */
function ofHeld({ version, lastModified }: HeldInode, naming: Naming): Values {
  if (version === undefined) return {};
  return {
    key: keyOf(version, naming),
    etag: listedEtag(version.etag),
    'last-modified': dateText(lastModified),
  };
}

/** The key of the object that has the content. Undefined for an empty file of a release, which has no object. */
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
