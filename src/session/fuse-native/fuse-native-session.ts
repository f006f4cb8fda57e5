import type { ReadFailure } from '../../base/read-failure.ts';
import type { Generation, GenerationChanges } from '../../tree/index.ts';
import { answerSources } from '../answer-sources.ts';
import type { AttributeSource } from '../attributes.ts';
import type { ContentRange, ContentReader } from '../content-reader.ts';
import type { Session } from '../driver.ts';
import { errnoOf, libfuseErrno } from '../errno.ts';
import type { ExtendedAttributes } from '../extended-attributes.ts';
import {
  type Moment,
  NOTHING_SENT,
  type NotifyOutcome,
  type ServedTree,
  type SessionCounters,
  type ShownSince,
} from '../messages.ts';
import type { RequestMeter } from '../request-meter.ts';
import type { SessionOptions } from '../session-options.ts';
import { LONGEST_NAME_BYTES, statfsOf } from '../statfs.ts';
import type { MountedTrees } from '../trees/mounted-trees.ts';
import type { VersionLookups } from '../trees/version-lookups.ts';
import type { FuseOperations, FuseStat, FuseStatfs } from './binding.ts';
import { type OpenFile, OpenFiles } from './open-files.ts';
import { inodeNumber, isShown, listedOf, nodeIdOf, type ShownNode } from './shown-nodes.ts';

export interface FuseNativeSessionOptions extends SessionOptions {
  /** Unmounts, and resolves when no process uses the mount any more. */
  readonly onStop: () => Promise<void>;
}

const OK = 0;
/**
 * Limits on waiting lookups of versions. Each lookup occupies one of libfuse's few threads, and a lock on
 * `versions/`.
 */
const VERSION_WAITS = { ofAUid: 4, inAll: 4 };
/** Stands for the reader of a lookup, which fuse-native does not report. */
const NOBODY = { uniqueHigh: 0, pid: 0, uid: 0 };

/**
 * Answers libfuse's requests, which name paths, from the shown tree. Every request looks its path up again,
 * so that no request after a swap is answered from the old tree. Only an open file keeps its version, under
 * its handle, because the kernel has one inode for all versions of a path.
 */
export class FuseNativeSession implements Session, FuseOperations {
  readonly #options: FuseNativeSessionOptions;
  readonly #trees: MountedTrees;
  readonly #lookups: VersionLookups | undefined;
  readonly #attributes: AttributeSource;
  readonly #extended: ExtendedAttributes;
  /** Indexed by tree number. */
  readonly #contents: readonly ContentReader[];
  readonly #files = new OpenFiles();
  readonly #meter: RequestMeter;
  readonly #stopping = new AbortController();
  /** The number of lookups so far. It gives each lookup a unique number, which fuse-native does not report. */
  #sought = 0;

  constructor(options: FuseNativeSessionOptions) {
    this.#options = options;
    this.#meter = options.meter;
    const sources = answerSources(options, VERSION_WAITS);
    this.#trees = sources.trees;
    this.#lookups = sources.lookups;
    this.#attributes = sources.attributes;
    this.#extended = sources.extended;
    this.#contents = sources.contents;
  }

  show(tree: number, shown: ShownSince): NotifyOutcome {
    this.#trees.show(tree, shown);
    return NOTHING_SENT;
  }

  /**
   * Shows another generation of a tree. The kernel needs no notification, because it was told to cache
   * nothing.
   */
  async publish(number: number, shown: ServedTree, changes: GenerationChanges): Promise<NotifyOutcome> {
    const tree = this.#trees.at(number);
    if (tree === undefined) throw new TypeError(`tree ${number} is not shown`);
    tree.show(shown, changes);
    tree.settled();
    const free = tree.heldIds().filter((nodeId) => !this.#files.holds(nodeId));
    // The report of released nodes follows after this method has returned, because the publisher must learn
    // of the publication first.
    if (free.length > 0) setImmediate(() => this.#released(free));
    tree.release(free);
    return NOTHING_SENT;
  }

  #released(nodeIds: readonly number[]): void {
    for (const [tree, ownIds] of this.#trees.byTree(nodeIds)) this.#options.onReleased(tree, ownIds);
  }

  /**
   * Drops a version in any case: the kernel holds only open files of it, and each handle keeps its own file
   * version.
   */
  async dropVersion(id: string, changedAt: Moment): Promise<boolean> {
    this.#trees.versions?.remove(id, changedAt);
    return true;
  }

  counters(): SessionCounters {
    const { opcodes, readErrors } = this.#meter;
    return {
      opcodes,
      malformed: 0,
      readErrors,
      replacedInodes: this.#trees.heldCount,
      refused: 0,
      replayed: 0,
    };
  }

  async stop(): Promise<void> {
    await this.#options.onStop();
    this.#stopping.abort();
    this.#lookups?.abort();
  }

  getattr(path: string, reply: Parameters<FuseOperations['getattr']>[1]): void {
    this.#answer('getattr', reply, () => {
      this.#at(path, reply, (node) => reply(OK, this.#stat(node)));
    });
  }

  /**
   * Replies with the whole listing at once, because fuse-native supports nothing else. The listing includes
   * the types of the entries, so that a walk sends no further requests. It shows the directory as it was when
   * the listing began.
   */
  readdir(path: string, reply: Parameters<FuseOperations['readdir']>[1]): void {
    this.#answer('readdir', reply, () => {
      this.#at(path, reply, (node) => {
        const listed = listedOf(this.#trees, node);
        if (listed === undefined) return reply(libfuseErrno('not-a-directory'));
        const { parent, children } = listed;
        reply(
          OK,
          ['.', '..', ...children.map(({ name }) => name)],
          [node, parent, ...children.map((child) => child.node)].map((each) => this.#stat(each)),
        );
      });
    });
  }

  open(path: string, _flags: number, reply: Parameters<FuseOperations['open']>[2]): void {
    this.#answer('open', reply, () => {
      this.#at(path, reply, (node) => {
        if (node.kind !== 'entry' || node.tree.generation.isDirectory(node.index))
          return reply(libfuseErrno('is-a-directory'));
        const { tree, index } = node;
        const { generation } = tree;
        reply(
          OK,
          this.#files.open({
            nodeId: tree.placement.nodeId(generation, index),
            size: generation.size(index),
            archived: generation.isArchived(index),
            version: generation.version(index),
          }),
        );
      });
    });
  }

  read(
    _path: string,
    handle: number,
    buffer: Buffer,
    length: number,
    position: number,
    reply: (count: number) => void,
  ): void {
    this.#answer('read', reply, () => {
      const file = this.#files.at(handle);
      if (file === undefined) return reply(libfuseErrno('bad-handle'));
      const range = rangeOf(file, position, length);
      if (range.length === 0) return reply(0);
      if (file.archived) return this.#failedRead('archived', reply);
      const target = buffer.subarray(0, range.length);
      const content = this.#contents[this.#trees.numberOf(range.nodeId)]!;
      if (content.readLocal(range, target)) {
        this.#meter.readLocally();
        return reply(range.length);
      }
      content
        // libfuse 2 knows the reader, but fuse-native does not pass it on.
        .read(range, undefined, this.#stopping.signal)
        .catch(() => 'unavailable' as const)
        .then((bytes) => {
          if (typeof bytes === 'string') return this.#failedRead(bytes, reply);
          target.set(bytes);
          reply(range.length);
        });
    });
  }

  release(_path: string, handle: number, reply: (error: number) => void): void {
    this.#answer('release', reply, () => {
      const file = this.#files.release(handle);
      reply(OK);
      if (file === undefined || this.#trees.held(file.nodeId) === undefined) return;
      this.#trees.release([file.nodeId]);
      this.#released([file.nodeId]);
    });
  }

  statfs(_path: string, reply: Parameters<FuseOperations['statfs']>[1]): void {
    this.#answer('statfs', reply, () =>
      reply(OK, fuseStatfsOf(this.#trees.shown.map(({ generation }) => generation))),
    );
  }

  getxattr(
    path: string,
    name: string,
    _position: number,
    reply: Parameters<FuseOperations['getxattr']>[3],
  ): void {
    this.#answer('getxattr', reply, () => {
      this.#at(path, reply, (node) => {
        const nodeId = nodeIdOf(node);
        const version = this.#extended.versionAsked(this.#trees, nodeId, Buffer.from(name));
        const root = this.#extended.rootAsked(this.#trees, nodeId, Buffer.from(name));
        const asked =
          version !== undefined
            ? this.#options.versionIdOf(version)
            : root && this.#options.rootAttributeOf(root);
        if (asked !== undefined) {
          // Without a value the reply is ENODATA.
          void asked.then((text) => reply(OK, text === undefined ? null : Buffer.from(text)));
          return;
        }
        const value = this.#extended.value(this.#trees, nodeId, Buffer.from(name));
        if (typeof value === 'string') return reply(libfuseErrno(value));
        reply(OK, Buffer.from(value));
      });
    });
  }

  listxattr(path: string, reply: Parameters<FuseOperations['listxattr']>[1]): void {
    this.#answer('listxattr', reply, () => {
      this.#at(path, reply, (node) => {
        const names = this.#extended.names(this.#trees, nodeIdOf(node));
        if (typeof names === 'string') return reply(libfuseErrno(names));
        reply(OK, []);
      });
    });
  }

  /** Counts and times a request, and answers it. An internal error fails one request, not the mount. */
  #answer(opcode: string, reply: (error: number) => void, answer: () => void): void {
    const began = performance.now();
    this.#meter.came(opcode);
    try {
      answer();
    } catch (error) {
      this.#options.onFault(error, opcode);
      reply(libfuseErrno('fault'));
    }
    // For a read that waits for content, this measures only the part before the wait.
    this.#meter.took(opcode, performance.now() - began);
  }

  #failedRead(refusal: ReadFailure | 'archived', reply: (count: number) => void): void {
    this.#meter.failed(errnoOf(refusal));
    reply(libfuseErrno(refusal));
  }

  /**
   * Calls `found` with the node at a path, or `refuse` with an errno. If the path leads to a version that is
   * not loaded, waits for that version.
   */
  #at(path: string, refuse: (error: number) => void, found: (node: ShownNode) => void): void {
    const node = this.#trees.find(path.slice(1));
    if (node?.kind === 'sought') void this.#seek(path, node.id, refuse, found);
    else if (node === undefined) refuse(this.#missing(path));
    else if (isShown(node)) found(node);
    else refuse(libfuseErrno('forgotten'));
  }

  async #seek(
    path: string,
    id: string,
    refuse: (error: number) => void,
    found: (node: ShownNode) => void,
  ): Promise<void> {
    // libfuse 2 knows the reader, but fuse-native does not pass it on.
    this.#sought += 1;
    const lookup = this.#lookups?.begin({ ...NOBODY, uniqueLow: this.#sought }, id);
    const refusal = lookup === undefined ? 'too-many-lookups' : await lookup.result;
    const node = this.#trees.find(path.slice(1));
    if (refusal !== undefined) refuse(libfuseErrno(refusal));
    else if (node === undefined) refuse(this.#missing(path));
    else if (isShown(node)) found(node);
    else refuse(libfuseErrno('unavailable'));
  }

  #missing(path: string): number {
    const isTooLong =
      path.length > LONGEST_NAME_BYTES &&
      path.split('/').some((name) => Buffer.byteLength(name) > LONGEST_NAME_BYTES);
    return libfuseErrno(isTooLong ? 'name-too-long' : 'no-entry');
  }

  #stat(node: ShownNode): FuseStat {
    const { mode, uid, gid, size, blocks, nlink, ino, blksize, mtimeSeconds, mtimeNanoseconds } =
      node.kind === 'own'
        ? this.#attributes.ofOwn(node.directory)
        : this.#attributes.ofEntry(node.tree, node.index);
    const time = mtimeSeconds * 1000 + Math.floor(mtimeNanoseconds / 1e6);
    return {
      mode,
      uid,
      gid,
      size,
      dev: 0,
      nlink,
      ino: inodeNumber(ino),
      rdev: 0,
      blksize,
      blocks,
      atime: time,
      mtime: time,
      ctime: time,
    };
  }
}

function rangeOf({ nodeId, version, size }: OpenFile, position: number, length: number): ContentRange {
  return { nodeId, version, position, length: Math.min(length, Math.max(0, size - position)) };
}

function fuseStatfsOf(shown: readonly Generation[]): FuseStatfs {
  const { blocks, bfree, bavail, files, ffree, bsize, namelen, frsize } = statfsOf(shown);
  // fuse-native has 32 bits for each figure: 16 TiB in blocks of 4 KiB. Because 90 % of the blocks are shown
  // as free, a tree of more than 1.6 TiB shows too low a usage, and one of more than 1.8 TiB a usage of zero.
  const most = 0xffffffff;
  return {
    bsize,
    frsize,
    blocks: Math.min(blocks, most),
    bfree: Math.min(bfree, most),
    bavail: Math.min(bavail, most),
    files,
    ffree,
    favail: ffree,
    namemax: namelen,
  };
}
