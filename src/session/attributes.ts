import type { MutableAttributes } from '../wire/index.ts';
import type { Presentation } from './messages.ts';
import type { HeldInode } from './trees/held-inode.ts';
import type { OwnDirectory } from './trees/node.ts';
import type { PlacedTree } from './trees/placement.ts';

export const S_IFDIR = 0o040000;
export const S_IFREG = 0o100000;

/**
 * Builds the attributes of nodes. All methods fill and return the same object, so that a listing of 100,000
 * entries allocates no object.
 */
export class AttributeSource {
  readonly #uid: number;
  readonly #gid: number;
  readonly #fileMode: number;
  readonly #executableMode: number;
  readonly #directoryMode: number;
  readonly #attributes: MutableAttributes = {
    ino: 0,
    size: 0,
    blocks: 0,
    mtimeSeconds: 0,
    mtimeNanoseconds: 0,
    mode: 0,
    nlink: 1,
    uid: 0,
    gid: 0,
    blksize: 4096,
  };

  constructor({ uid, gid, umask }: Presentation) {
    this.#uid = uid;
    this.#gid = gid;
    // The tree is read-only: no write permission is shown, whatever the umask is.
    this.#fileMode = S_IFREG | (0o444 & ~umask);
    this.#executableMode = S_IFREG | (0o555 & ~umask);
    this.#directoryMode = S_IFDIR | (0o555 & ~umask);
  }

  mode(directory: boolean, executable: boolean): number {
    if (directory) return this.#directoryMode;
    return executable ? this.#executableMode : this.#fileMode;
  }

  /**
   * Returns the attributes of an entry of a shown tree. The result is valid until the next call of any
   * method.
   */
  ofEntry({ generation, placement }: PlacedTree, index: number): MutableAttributes {
    const directory = generation.isDirectory(index);
    return this.#fill(
      placement.nodeId(generation, index),
      this.mode(directory, generation.isExecutable(index)),
      generation.size(index),
      generation.mtimeSeconds(index),
      generation.mtimeNanoseconds(index),
      directory ? 2 + generation.subdirectories(index) : 1,
    );
  }

  /**
   * Returns the attributes of a replaced file version or a removed directory. A removed directory is empty;
   * its mtime is the time of its removal (ShownTree). The result is valid until the next call of any method.
   */
  ofHeld(node: HeldInode): MutableAttributes {
    const { nodeId, directory, executable, size, mtimeSeconds, mtimeNanoseconds } = node;
    const mode = this.mode(directory, executable);
    return this.#fill(nodeId, mode, size, mtimeSeconds, mtimeNanoseconds, directory ? 2 : 1);
  }

  /**
   * Returns the attributes of one of the mount's own directories. The result is valid until the next call of
   * any method.
   */
  ofOwn({ nodeId, mtimeSeconds, mtimeNanoseconds, subdirectories }: OwnDirectory): MutableAttributes {
    return this.#fill(nodeId, this.mode(true, false), 0, mtimeSeconds, mtimeNanoseconds, 2 + subdirectories);
  }

  /**
   * Returns the attributes of the root of a version that is not loaded. The session knows only that the root
   * is a directory, so the root gets the mtime of its parent `versions/`, and counts as one without
   * subdirectories. The result is valid until the next call of any method.
   */
  ofSought(nodeId: number, { mtimeSeconds, mtimeNanoseconds }: OwnDirectory): MutableAttributes {
    return this.#fill(nodeId, this.mode(true, false), 0, mtimeSeconds, mtimeNanoseconds, 2);
  }

  #fill(
    nodeId: number,
    mode: number,
    size: number,
    mtimeSeconds: number,
    mtimeNanoseconds: number,
    nlink: number,
  ): MutableAttributes {
    const attributes = this.#attributes;
    attributes.ino = nodeId;
    attributes.size = size;
    attributes.blocks = Math.ceil(size / 512);
    attributes.mtimeSeconds = mtimeSeconds;
    attributes.mtimeNanoseconds = mtimeNanoseconds;
    attributes.mode = mode;
    attributes.nlink = nlink;
    attributes.uid = this.#uid;
    attributes.gid = this.#gid;
    return attributes;
  }
}
