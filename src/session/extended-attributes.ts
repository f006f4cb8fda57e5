import { type ContentVersion, type Generation, listedEtag } from '../tree/index.ts';
import type { Refusal } from './errno.ts';
import type { Naming } from './naming.ts';
import { ROOT_ATTRIBUTES, type RootAttribute } from './root-attributes.ts';
import type { HeldInode } from './trees/held-inode.ts';
import type { MountedTrees } from './trees/mounted-trees.ts';

type Attribute = 'key' | 'etag' | 'generation' | 'last-modified' | 'release' | 'source';
/** Undefined or empty: it is not known. */
type Values = Readonly<Partial<Record<Attribute, string | undefined>>>;

const NAMESPACE = 'user.dagmount.';
const USER_NAMESPACE = 'user.';
const NO_NAMES = new Uint8Array(0);
const VERSION_ID = Buffer.from(`${NAMESPACE}version-id`);

export type AskedVersion = Pick<ContentVersion, 'path' | 'etag'>;

/**
 * The extended attributes `user.dagmount.…`: key, etag, version-id and last-modified on files, generation and source on
 * the root and on that of the current tree, release on that of a version. Both roots also have what the main thread alone
 * knows (root-attributes.ts). The kernel caches none of them: each question is an upcall, and each answer is of now.
 *
 * They are read by name and not listed (listxattr(2) answers no name), so that `cp -a` and `rsync -X` copy none. What
 * a file has changes only when the file does; the generation, which changes with every publication, is the root's.
 */
export class ExtendedAttributes {
  readonly #naming: Naming;

  constructor(naming: Naming) {
    this.#naming = naming;
  }

  /**
   * The value, or why there is none. The kernel and `ls -l` ask for security.capability and POSIX ACLs: those are of another
   * namespace.
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

  /** The version whose `version-id` is asked for: the store says it in its answers alone, which are not had here. */
  versionAsked(trees: MountedTrees, nodeId: number, name: Uint8Array): AskedVersion | undefined {
    if (!VERSION_ID.equals(name)) return undefined;
    const node = trees.node(nodeId);
    if (node?.kind === 'held') return node.inode.version;
    if (node?.kind !== 'entry') return undefined;
    const { index } = node;
    const { generation } = node.tree;
    if (generation.isDirectory(index)) return undefined;
    return { path: generation.path(index), etag: generation.etag(index) };
  }

  /** An attribute of the root, or of the current tree's, that only the main thread knows. */
  rootAsked(trees: MountedTrees, nodeId: number, name: Uint8Array): RootAttribute | undefined {
    if (!trees.isRoot(nodeId)) return undefined;
    return ROOT_ATTRIBUTES.find((attribute) => Buffer.from(NAMESPACE + attribute).equals(name));
  }

  /** The names, none, or why there are none. Not ENOSYS, which would make listxattr(2) fail for the whole connection. */
  names(trees: MountedTrees, nodeId: number): Uint8Array | Refusal {
    return this.#values(trees, nodeId) === undefined ? 'forgotten' : NO_NAMES;
  }

  #values(trees: MountedTrees, nodeId: number): Values | undefined {
    if (trees.isRoot(nodeId)) return { generation: trees.current.label, source: this.#naming.source };
    const node = trees.node(nodeId);
    switch (node?.kind) {
      case undefined:
      // The kernel asks for a version first; it asks for this again by its path.
      case 'sought':
        return undefined;
      case 'own':
        return {};
      case 'held':
        return this.#ofHeld(node.inode);
      case 'entry': {
        const { index } = node;
        const { generation } = node.tree;
        if (!generation.isDirectory(index)) return this.#ofFile(generation, index);
        return index === 0 ? { release: trees.versions?.at(nodeId)?.id } : {};
      }
      default:
        return node satisfies never;
    }
  }

  #ofFile(generation: Generation, index: number): Values {
    return {
      key: this.#naming.keyPrefix + generation.path(index),
      etag: listedEtag(generation.etag(index)),
      'last-modified': dateText(generation.lastModified(index)),
    };
  }

  /** A replaced version that somebody still holds open: no generation that is shown has it. */
  #ofHeld({ version, lastModified }: HeldInode): Values {
    if (version === undefined) return {};
    const key = this.#naming.keyPrefix + version.path;
    return { key, etag: listedEtag(version.etag), 'last-modified': dateText(lastModified) };
  }
}

/** Of whole seconds since the epoch; 0: the store gave no date. */
function dateText(seconds: number): string | undefined {
  return seconds === 0 ? undefined : new Date(1000 * seconds).toISOString();
}
