import { type ContentVersion, type Generation, listedEtag } from '../tree/index.ts';
import type { ErrnoName } from '../wire/index.ts';
import type { RetiredNode, ShownTree } from './shown-tree.ts';

/** What an entry's key is made of, and the root's source. */
export interface Naming {
  /** `s3://BUCKET/PREFIX/` */
  readonly source: string;
  /** Of every object key: empty, or ending with a slash. */
  readonly keyPrefix: string;
}

type Attribute = 'key' | 'etag' | 'generation' | 'last-modified' | 'source';
type Values = Readonly<Partial<Record<Attribute, string>>>;

const NAMESPACE = 'user.dagmount.';
const USER_NAMESPACE = 'user.';
const VERSION_ID = Buffer.from(`${NAMESPACE}version-id`);

export type AskedVersion = Pick<ContentVersion, 'path' | 'etag'>;

/**
 * The extended attributes `user.dagmount.…`: key, etag, generation and last-modified on files, and version-id, which is
 * not listed, since it is not known of every version; generation and source on the root. The kernel never caches one, so that each question is an upcall, and each answer is of now.
 */
export class ExtendedAttributes {
  readonly #naming: Naming;

  constructor(naming: Naming) {
    this.#naming = naming;
  }

  /**
   * The value, or the errno. A name of another namespace is EOPNOTSUPP: the kernel and `ls -l` ask for
   * security.capability and POSIX ACLs, and after ENODATA they would ask for them at every entry, again and again.
   * Never ENOSYS: that is remembered for the whole connection.
   */
  value(tree: ShownTree, nodeId: number, name: Uint8Array): Uint8Array | ErrnoName {
    const asked = Buffer.from(name.buffer, name.byteOffset, name.byteLength).toString('latin1');
    if (!asked.startsWith(USER_NAMESPACE)) return 'EOPNOTSUPP';
    const values = this.#values(tree, nodeId);
    if (values === undefined) return 'ESTALE';
    const attribute = asked.startsWith(NAMESPACE) ? asked.slice(NAMESPACE.length) : '';
    const value = Object.hasOwn(values, attribute) ? values[attribute as Attribute] : undefined;
    return value === undefined ? 'ENODATA' : Buffer.from(value);
  }

  /** The version whose `version-id` is asked for: the store says it in its answers alone, which are not had here. */
  versionAsked(tree: ShownTree, nodeId: number, name: Uint8Array): AskedVersion | undefined {
    if (!VERSION_ID.equals(name)) return undefined;
    const { generation } = tree;
    const index = generation.indexOfNode(nodeId);
    if (index < 0) return tree.retired(nodeId)?.version;
    if (generation.isDirectory(index)) return undefined;
    return { path: generation.path(index), etag: generation.etag(index) };
  }

  /** The names, each ended by a NUL, or the errno. */
  names(tree: ShownTree, nodeId: number): Uint8Array | ErrnoName {
    const values = this.#values(tree, nodeId);
    if (values === undefined) return 'ESTALE';
    return Buffer.from(
      Object.keys(values)
        .map((name) => `${NAMESPACE}${name}\0`)
        .join(''),
    );
  }

  #values(tree: ShownTree, nodeId: number): Values | undefined {
    const { generation } = tree;
    const index = generation.indexOfNode(nodeId);
    if (index === 0) return { generation: tree.label, source: this.#naming.source };
    if (index > 0) return generation.isDirectory(index) ? {} : this.#ofFile(tree, generation, index);
    const retired = tree.retired(nodeId);
    return retired && this.#ofRetired(retired);
  }

  #ofFile(tree: ShownTree, generation: Generation, index: number): Values {
    return {
      key: this.#naming.keyPrefix + generation.path(index),
      ...etagOf(generation.etag(index)),
      generation: tree.label,
      'last-modified': new Date(1000 * generation.lastModified(index)).toISOString(),
    };
  }

  /** A replaced version that somebody still holds open: no generation that is shown has it. */
  #ofRetired({ version }: RetiredNode): Values {
    return version === undefined
      ? {}
      : { key: this.#naming.keyPrefix + version.path, ...etagOf(version.etag) };
  }
}

/** None where the listing has none: what stands in its place is not shown as if it were the store's. */
function etagOf(etag: string): Pick<Values, 'etag'> {
  const listed = listedEtag(etag);
  return listed === undefined ? {} : { etag: listed };
}
