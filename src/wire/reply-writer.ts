import type { Attributes, StatfsFigures } from './attributes.ts';
import { FUSE_ROOT_ID } from './constants.ts';
import { ERRNO, type ErrnoName } from './errno.ts';
import type { InitReply } from './init.ts';
import {
  type ByteCount,
  type CookieHalf,
  FOREVER,
  type NodeId,
  requireLittleEndianHost,
  type UniqueHalf,
  writeU64,
} from './numbers.ts';
import {
  fuse_attr,
  fuse_attr_out,
  fuse_dirent,
  fuse_direntplus,
  fuse_entry_out,
  fuse_getxattr_out,
  fuse_init_out,
  fuse_kstatfs,
  fuse_out_header,
} from './structs.ts';

/** Offset of a reply's body in bytes, from the start of the message. */
export const REPLY_BODY_OFFSET = fuse_out_header.sizeof;

const BODY = REPLY_BODY_OFFSET;
const LARGEST_FIXED_REPLY = BODY + fuse_entry_out.sizeof;

/**
 * Writes one reply after another into the caller's buffer; the caller sends it. `begin` starts an empty
 * successful reply. Most other methods complete it and return the message's length in bytes; the writers of
 * directory entries append to it and return whether the entry fits. The buffer is reused, so every byte of a
 * message is written.
 * An entry takes 110 ns, attributes 70 ns, each entry of READDIRPLUS 140 to 180 ns (Node 20, 2 cores).
 */
export class ReplyWriter {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #length = 0;
  #end = 0;
  /**
   * The inode generation: 32 bits, the same for every inode of a connection except the root, for which the
   * kernel requires 0. A file handle contains it beside the node id. If a reply has another generation for a
   * node id that the kernel holds, the kernel marks the inode as bad.
   */
  inodeGeneration = 0;

  /**
   * @throws RangeError if the buffer is smaller than the largest reply of fixed size (144 bytes).
   * @throws Error on a big-endian host.
   */
  constructor(buffer: Uint8Array) {
    requireLittleEndianHost();
    if (buffer.length < LARGEST_FIXED_REPLY) {
      throw new RangeError(`a reply buffer needs ${LARGEST_FIXED_REPLY} bytes or more, not ${buffer.length}`);
    }
    this.#bytes = buffer;
    this.#view = new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
  }

  /** The message's current length in bytes, including its header. */
  get length(): number {
    return this.#length;
  }

  /**
   * Starts the reply to a request: a success without a body.
   * @param bodyLimit the most bytes of directory entries, which is the request's `size`
   */
  begin(uniqueHigh: UniqueHalf, uniqueLow: UniqueHalf, bodyLimit: ByteCount = FOREVER): number {
    this.#view.setInt32(fuse_out_header.error, 0, true);
    this.#view.setUint32(fuse_out_header.unique, uniqueLow, true);
    this.#view.setUint32(fuse_out_header.unique + 4, uniqueHigh, true);
    this.#end = Math.min(this.#bytes.length, BODY + bodyLimit);
    return this.#finish(0);
  }

  error(errno: ErrnoName): number {
    this.#view.setInt32(fuse_out_header.error, -ERRNO[errno], true);
    return this.#finish(0);
  }

  /** Replies to LOOKUP with the node `attributes.ino`. The kernel counts one lookup of that node. */
  entry(attributes: Attributes, ttlSeconds: number = FOREVER): number {
    this.#entryOut(BODY, attributes, ttlSeconds);
    return this.#finish(fuse_entry_out.sizeof);
  }

  /** Replies to LOOKUP that the name does not exist. The kernel caches this reply for `ttlSeconds`. */
  negativeEntry(ttlSeconds: number = FOREVER): number {
    this.#bytes.fill(0, BODY, BODY + fuse_entry_out.sizeof);
    this.#ttl(BODY + fuse_entry_out.entry_valid, ttlSeconds);
    return this.#finish(fuse_entry_out.sizeof);
  }

  attr(attributes: Attributes, ttlSeconds: number = FOREVER): number {
    this.#ttl(BODY + fuse_attr_out.attr_valid, ttlSeconds);
    this.#view.setUint32(BODY + fuse_attr_out.attr_valid_nsec, 0, true);
    this.#view.setUint32(BODY + fuse_attr_out.dummy, 0, true);
    this.#attr(BODY + fuse_attr_out.attr, attributes);
    return this.#finish(fuse_attr_out.sizeof);
  }

  statfs(figures: StatfsFigures): number {
    const view = this.#view;
    this.#bytes.fill(0, BODY, BODY + fuse_kstatfs.sizeof);
    writeU64(view, BODY + fuse_kstatfs.blocks, figures.blocks);
    writeU64(view, BODY + fuse_kstatfs.bfree, figures.bfree);
    writeU64(view, BODY + fuse_kstatfs.bavail, figures.bavail);
    writeU64(view, BODY + fuse_kstatfs.files, figures.files);
    writeU64(view, BODY + fuse_kstatfs.ffree, figures.ffree);
    view.setUint32(BODY + fuse_kstatfs.bsize, figures.bsize, true);
    view.setUint32(BODY + fuse_kstatfs.namelen, figures.namelen, true);
    view.setUint32(BODY + fuse_kstatfs.frsize, figures.frsize, true);
    return this.#finish(fuse_kstatfs.sizeof);
  }

  /** Replies to GETXATTR or LISTXATTR of size 0 with the length of the value or the list. */
  xattrSize(size: ByteCount): number {
    this.#view.setUint32(BODY + fuse_getxattr_out.size, size, true);
    this.#view.setUint32(BODY + fuse_getxattr_out.padding, 0, true);
    return this.#finish(fuse_getxattr_out.sizeof);
  }

  /**
   * Replies with plain bytes: the value of an extended attribute, a list of attribute names, or a file's
   * content.
   * @throws RangeError if the content does not fit the buffer.
   */
  bytes(content: Uint8Array): number {
    this.#bytes.set(content, BODY);
    return this.#finish(content.length);
  }

  /**
   * Replies with a body of `length` bytes. The caller writes the body into the buffer at REPLY_BODY_OFFSET,
   * before or after this call.
   * @throws RangeError if the body does not fit the buffer.
   */
  data(length: ByteCount): number {
    if (length > this.#bytes.length - BODY) {
      throw new RangeError(`${length} bytes of data do not fit a reply buffer of ${this.#bytes.length}`);
    }
    return this.#finish(length);
  }

  init(reply: InitReply): number {
    const view = this.#view;
    this.#bytes.fill(0, BODY, BODY + fuse_init_out.sizeof);
    view.setUint32(BODY + fuse_init_out.major, reply.major, true);
    view.setUint32(BODY + fuse_init_out.minor, reply.minor, true);
    view.setUint32(BODY + fuse_init_out.max_readahead, reply.maxReadahead, true);
    view.setUint32(BODY + fuse_init_out.flags, Number(reply.flags & 0xffff_ffffn), true);
    view.setUint32(BODY + fuse_init_out.flags2, Number(reply.flags >> 32n), true);
    view.setUint16(BODY + fuse_init_out.max_background, reply.maxBackground, true);
    view.setUint16(BODY + fuse_init_out.congestion_threshold, reply.congestionThreshold, true);
    view.setUint32(BODY + fuse_init_out.max_write, reply.maxWrite, true);
    view.setUint32(BODY + fuse_init_out.time_gran, reply.timeGran, true);
    view.setUint16(BODY + fuse_init_out.max_pages, reply.maxPages, true);
    return this.#finish(fuse_init_out.sizeof);
  }

  /**
   * Appends one entry to the reply to READDIR.
   * @param mode the entry's mode, of which only the file type is sent
   * @returns false, with the reply unchanged, if the entry does not fit
   */
  dirent(
    ino: NodeId,
    mode: number,
    cookieHigh: CookieHalf,
    cookieLow: CookieHalf,
    name: Uint8Array,
  ): boolean {
    const at = this.#length;
    return this.#append(at, at, ino, mode, cookieHigh, cookieLow, name);
  }

  /**
   * Appends one entry to the reply to READDIRPLUS. The kernel counts one lookup of `attributes.ino`.
   * @returns false, with the reply unchanged, if the entry does not fit
   */
  direntPlus(
    attributes: Attributes,
    cookieHigh: CookieHalf,
    cookieLow: CookieHalf,
    name: Uint8Array,
    ttlSeconds: number = FOREVER,
  ): boolean {
    const at = this.#length;
    const dirent = at + fuse_direntplus.dirent;
    if (!this.#append(at, dirent, attributes.ino, attributes.mode, cookieHigh, cookieLow, name)) {
      return false;
    }
    this.#entryOut(at, attributes, ttlSeconds);
    return true;
  }

  /**
   * Appends an entry without attributes to the reply to READDIRPLUS, for "." and "..". The kernel does not
   * count it as a lookup.
   * @returns false, with the reply unchanged, if the entry does not fit
   */
  direntPlusUncounted(
    ino: NodeId,
    mode: number,
    cookieHigh: CookieHalf,
    cookieLow: CookieHalf,
    name: Uint8Array,
  ): boolean {
    const at = this.#length;
    const dirent = at + fuse_direntplus.dirent;
    if (!this.#append(at, dirent, ino, mode, cookieHigh, cookieLow, name)) {
      return false;
    }
    this.#bytes.fill(0, at, dirent);
    return true;
  }

  #finish(bodyLength: number): number {
    this.#length = BODY + bodyLength;
    this.#view.setUint32(fuse_out_header.len, this.#length, true);
    return this.#length;
  }

  /**
   * Appends the record that starts at `start` and whose fuse_dirent is at `at`. Records are padded to 8
   * bytes.
   */
  #append(
    start: number,
    at: number,
    ino: number,
    mode: number,
    cookieHigh: number,
    cookieLow: number,
    name: Uint8Array,
  ): boolean {
    const nameEnd = at + fuse_dirent.name + name.length;
    const end = start + ((nameEnd - start + 7) & ~7);
    if (end > this.#end) {
      return false;
    }
    const view = this.#view;
    const bytes = this.#bytes;
    writeU64(view, at + fuse_dirent.ino, ino);
    view.setUint32(at + fuse_dirent.off, cookieLow, true);
    view.setUint32(at + fuse_dirent.off + 4, cookieHigh, true);
    view.setUint32(at + fuse_dirent.namelen, name.length, true);
    view.setUint32(at + fuse_dirent.type, (mode >>> 12) & 15, true);
    bytes.set(name, at + fuse_dirent.name);
    for (let padding = nameEnd; padding < end; padding++) {
      bytes[padding] = 0;
    }
    this.#finish(end - BODY);
    return true;
  }

  #entryOut(at: number, attributes: Attributes, ttlSeconds: number): void {
    const view = this.#view;
    writeU64(view, at + fuse_entry_out.nodeid, attributes.ino);
    writeU64(
      view,
      at + fuse_entry_out.generation,
      attributes.ino === FUSE_ROOT_ID ? 0 : this.inodeGeneration,
    );
    this.#ttl(at + fuse_entry_out.entry_valid, ttlSeconds);
    this.#ttl(at + fuse_entry_out.attr_valid, ttlSeconds);
    view.setUint32(at + fuse_entry_out.entry_valid_nsec, 0, true);
    view.setUint32(at + fuse_entry_out.attr_valid_nsec, 0, true);
    this.#attr(at + fuse_entry_out.attr, attributes);
  }

  #ttl(at: number, seconds: number): void {
    if (seconds === FOREVER) {
      this.#view.setUint32(at, 0xffff_ffff, true);
      this.#view.setUint32(at + 4, 0xffff_ffff, true);
    } else {
      writeU64(this.#view, at, seconds);
    }
  }

  #attr(at: number, attributes: Attributes): void {
    const view = this.#view;
    const { mtimeSeconds, mtimeNanoseconds } = attributes;
    writeU64(view, at + fuse_attr.ino, attributes.ino);
    writeU64(view, at + fuse_attr.size, attributes.size);
    writeU64(view, at + fuse_attr.blocks, attributes.blocks);
    writeU64(view, at + fuse_attr.atime, mtimeSeconds);
    writeU64(view, at + fuse_attr.mtime, mtimeSeconds);
    writeU64(view, at + fuse_attr.ctime, mtimeSeconds);
    view.setUint32(at + fuse_attr.atimensec, mtimeNanoseconds, true);
    view.setUint32(at + fuse_attr.mtimensec, mtimeNanoseconds, true);
    view.setUint32(at + fuse_attr.ctimensec, mtimeNanoseconds, true);
    view.setUint32(at + fuse_attr.mode, attributes.mode, true);
    view.setUint32(at + fuse_attr.nlink, attributes.nlink, true);
    view.setUint32(at + fuse_attr.uid, attributes.uid, true);
    view.setUint32(at + fuse_attr.gid, attributes.gid, true);
    view.setUint32(at + fuse_attr.rdev, 0, true);
    view.setUint32(at + fuse_attr.blksize, attributes.blksize, true);
    view.setUint32(at + fuse_attr.flags, 0, true);
  }
}
