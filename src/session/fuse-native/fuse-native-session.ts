import type { ReadFailure } from '../../base/read-failure.ts';
import type { Generation, GenerationChanges } from '../../tree/index.ts';
import { AttributeSource } from '../attributes.ts';
import { BlobReader } from '../blob-reader.ts';
import { ContentReader, type Fetch } from '../content-reader.ts';
import type { Session } from '../driver.ts';
import { errnoOf, libfuseErrno } from '../errno.ts';
import { type AskedVersion, ExtendedAttributes } from '../extended-attributes.ts';
import type { ContentRange } from '../handlers.ts';
import type { NotifyOutcome, Presentation, ServedTree, SessionCounters } from '../messages.ts';
import type { Naming } from '../naming.ts';
import type { RequestMeter } from '../request-meter.ts';
import { ShownTree } from '../shown-tree.ts';
import { LONGEST_NAME_BYTES, statfsOf } from '../statfs.ts';
import type { FuseOperations, FuseStat, FuseStatfs } from './binding.ts';
import { type OpenFile, OpenFiles } from './open-files.ts';

export interface FuseNativeSessionOptions {
  readonly shown: ServedTree;
  readonly presentation: Presentation;
  readonly naming: Naming;
  readonly cacheDirectory: string;
  readonly meter: RequestMeter;
  readonly fetch: Fetch;
  readonly versionIdOf: (version: AskedVersion) => Promise<string | undefined>;
  /** A request that could not be answered for a reason that nobody foresaw; it got EIO. */
  readonly onFault: (error: unknown, opcode: string) => void;
  readonly onReleased: (nodeIds: readonly number[]) => void;
  /** Ends the mount, and resolves when nobody uses it any more. */
  readonly onStop: () => Promise<void>;
}

const OK = 0;
const NOTHING_SENT: NotifyOutcome = { sent: 0, failed: 0, ms: 0 };

/**
 * Answers what libfuse asks by path, out of the tree that is shown. A path is looked up anew with each question, so that
 * the moment after a swap nothing of the old tree is answered; only a file that is open keeps its version, under its
 * handle, since the kernel has one inode for all versions of a path.
 */
export class FuseNativeSession implements Session, FuseOperations {
  readonly #options: FuseNativeSessionOptions;
  readonly #tree: ShownTree;
  readonly #attributes: AttributeSource;
  readonly #extended: ExtendedAttributes;
  readonly #content: ContentReader;
  readonly #files = new OpenFiles();
  readonly #meter: RequestMeter;
  readonly #stopping = new AbortController();

  constructor(options: FuseNativeSessionOptions) {
    this.#options = options;
    this.#meter = options.meter;
    this.#tree = new ShownTree(options.shown);
    this.#attributes = new AttributeSource(options.presentation);
    this.#extended = new ExtendedAttributes(options.naming);
    this.#content = new ContentReader(new BlobReader(options.cacheDirectory), this.#tree, options.fetch);
  }

  /** There is nothing to be taken back from the kernel: it was told to keep nothing. */
  async publish(shown: ServedTree, changes: GenerationChanges): Promise<NotifyOutcome> {
    this.#tree.show(shown, changes);
    this.#tree.settled();
    const free = this.#tree.heldIds().filter((nodeId) => !this.#files.holds(nodeId));
    this.#tree.release(free);
    // Behind the answer to this: whoever published is to know of it first.
    if (free.length > 0) setImmediate(() => this.#options.onReleased(free));
    return NOTHING_SENT;
  }

  counters(): SessionCounters {
    const { opcodes, readErrors } = this.#meter;
    return {
      opcodes,
      malformed: 0,
      readErrors,
      retired: this.#tree.heldCount,
      refused: 0,
      replayed: 0,
    };
  }

  async stop(): Promise<void> {
    await this.#options.onStop();
    this.#stopping.abort();
  }

  getattr(path: string, reply: Parameters<FuseOperations['getattr']>[1]): void {
    this.#answer('getattr', reply, () => {
      const index = this.#find(path);
      if (index < 0) return reply(index);
      reply(OK, this.#stat(index));
    });
  }

  /**
   * The whole listing at once: fuse-native knows no other. With the types, so that a walk asks for nothing more; a name
   * that comes or goes meanwhile is in this listing as it was when it began.
   */
  readdir(path: string, reply: Parameters<FuseOperations['readdir']>[1]): void {
    this.#answer('readdir', reply, () => {
      const { generation } = this.#tree;
      const index = this.#find(path);
      if (index < 0) return reply(index);
      if (!generation.isDirectory(index)) return reply(libfuseErrno('not-a-directory'));
      const names = ['.', '..'];
      const stats = [this.#stat(index), this.#stat(generation.parent(index))];
      const end = generation.childrenEnd(index);
      for (let child = generation.childrenStart(index); child < end; child++) {
        names.push(nameOf(generation, child));
        stats.push(this.#stat(child));
      }
      reply(OK, names, stats);
    });
  }

  open(path: string, _flags: number, reply: Parameters<FuseOperations['open']>[2]): void {
    this.#answer('open', reply, () => {
      const { generation } = this.#tree;
      const index = this.#find(path);
      if (index < 0) return reply(index);
      if (generation.isDirectory(index)) return reply(libfuseErrno('is-a-directory'));
      reply(
        OK,
        this.#files.open({
          nodeId: generation.nodeId(index),
          size: generation.size(index),
          archived: generation.isArchived(index),
          version: generation.version(index),
        }),
      );
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
      if (this.#content.readLocal(range, target)) {
        this.#meter.readLocally();
        return reply(range.length);
      }
      this.#content
        // libfuse 2 knows who asks; fuse-native does not pass it on.
        .read(range, undefined, this.#stopping.signal)
        .catch(() => 'unavailable' as const)
        .then((content) => {
          if (typeof content === 'string') return this.#failedRead(content, reply);
          target.set(content);
          reply(range.length);
        });
    });
  }

  release(_path: string, handle: number, reply: (error: number) => void): void {
    this.#answer('release', reply, () => {
      const file = this.#files.release(handle);
      reply(OK);
      if (file === undefined || this.#tree.held(file.nodeId) === undefined) return;
      this.#tree.release([file.nodeId]);
      this.#options.onReleased([file.nodeId]);
    });
  }

  statfs(_path: string, reply: Parameters<FuseOperations['statfs']>[1]): void {
    this.#answer('statfs', reply, () => reply(OK, fuseStatfsOf(this.#tree.generation)));
  }

  getxattr(
    path: string,
    name: string,
    _position: number,
    reply: Parameters<FuseOperations['getxattr']>[3],
  ): void {
    this.#answer('getxattr', reply, () => {
      const index = this.#find(path);
      if (index < 0) return reply(index);
      const nodeId = this.#tree.generation.nodeId(index);
      const version = this.#extended.versionAsked(this.#tree, nodeId, Buffer.from(name));
      if (version !== undefined) {
        // Without one it is ENODATA.
        void this.#options
          .versionIdOf(version)
          .then((id) => reply(OK, id === undefined ? null : Buffer.from(id)));
        return;
      }
      const value = this.#extended.value(this.#tree, nodeId, Buffer.from(name));
      if (typeof value === 'string') return reply(libfuseErrno(value));
      reply(OK, Buffer.from(value));
    });
  }

  listxattr(path: string, reply: Parameters<FuseOperations['listxattr']>[1]): void {
    this.#answer('listxattr', reply, () => {
      const index = this.#find(path);
      if (index < 0) return reply(index);
      const names = this.#extended.names(this.#tree, this.#tree.generation.nodeId(index));
      if (typeof names === 'string') return reply(libfuseErrno(names));
      reply(OK, []);
    });
  }

  /** A fault of ours costs one request, not the mount. */
  #answer(opcode: string, reply: (error: number) => void, answer: () => void): void {
    const began = performance.now();
    this.#meter.came(opcode);
    try {
      answer();
    } catch (error) {
      this.#options.onFault(error, opcode);
      reply(libfuseErrno('fault'));
    }
    // Of a read that waits for content, its beginning alone.
    this.#meter.took(opcode, performance.now() - began);
  }

  #failedRead(refusal: ReadFailure | 'archived', reply: (count: number) => void): void {
    this.#meter.failed(errnoOf(refusal));
    reply(libfuseErrno(refusal));
  }

  /** The entry, or a negative errno. */
  #find(path: string): number {
    const index = this.#tree.generation.find(path.slice(1));
    if (index >= 0) return index;
    const isTooLong =
      path.length > LONGEST_NAME_BYTES &&
      path.split('/').some((name) => Buffer.byteLength(name) > LONGEST_NAME_BYTES);
    return libfuseErrno(isTooLong ? 'name-too-long' : 'no-entry');
  }

  #stat(index: number): FuseStat {
    const { mode, uid, gid, size, blocks, nlink, ino, blksize, mtimeSeconds, mtimeNanoseconds } =
      this.#attributes.ofEntry(this.#tree.generation, index);
    const time = mtimeSeconds * 1000 + Math.floor(mtimeNanoseconds / 1e6);
    return {
      mode,
      uid,
      gid,
      size,
      dev: 0,
      nlink,
      ino,
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

function nameOf(generation: Generation, index: number): string {
  const { buffer, byteOffset, byteLength } = generation.name(index);
  return Buffer.from(buffer, byteOffset, byteLength).toString();
}

function fuseStatfsOf(generation: Generation): FuseStatfs {
  const { blocks, bfree, bavail, files, ffree, bsize, namelen, frsize } = statfsOf(generation);
  // fuse-native has 32 bits for each: 16 TiB in blocks of 4 KiB. Too large a tree seems to use nothing.
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
