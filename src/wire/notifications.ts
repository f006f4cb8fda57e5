import {
  FUSE_NOTIFY_DELETE,
  FUSE_NOTIFY_INVAL_ENTRY,
  FUSE_NOTIFY_INVAL_INODE,
  FUSE_NOTIFY_PRUNE,
  FUSE_NOTIFY_RESEND,
  FUSE_NOTIFY_STORE,
} from './constants.ts';
import { type ByteCount, type NodeId, writeU64 } from './numbers.ts';
import {
  fuse_notify_delete_out,
  fuse_notify_inval_entry_out,
  fuse_notify_inval_inode_out,
  fuse_notify_prune_out,
  fuse_notify_store_out,
  fuse_out_header,
} from './structs.ts';

/**
 * Notifications: messages that the server sends without a request. Their out header has `unique` 0, and the
 * notification's code as `error`. Each function returns a new message, because the notify thread keeps it.
 * The session decides the order of the messages in a publication, and knows for what the kernel waits before
 * it answers each message.
 */

const BODY = fuse_out_header.sizeof;
const EMPTY = new Uint8Array(0);

function message(code: number, bodyLength: number): DataView {
  const view = new DataView(new ArrayBuffer(BODY + bodyLength));
  view.setUint32(fuse_out_header.len, view.byteLength, true);
  view.setInt32(fuse_out_header.error, code, true);
  return view;
}

function bytesOf(view: DataView): Uint8Array {
  return new Uint8Array(view.buffer);
}

/**
 * Makes the kernel drop its cache entry for the name `name` in the directory `parent`, also if the entry says
 * that the name does not exist. The kernel answers ENOENT if it has no such entry, which is harmless.
 *
 * @param flags FUSE_EXPIRE_ONLY, or 0
 */
export function encodeInvalidateEntry(parent: NodeId, name: Uint8Array, flags = 0): Uint8Array {
  const view = message(FUSE_NOTIFY_INVAL_ENTRY, fuse_notify_inval_entry_out.sizeof + name.length + 1);
  writeU64(view, BODY + fuse_notify_inval_entry_out.parent, parent);
  view.setUint32(BODY + fuse_notify_inval_entry_out.namelen, name.length, true);
  view.setUint32(BODY + fuse_notify_inval_entry_out.flags, flags, true);
  const bytes = bytesOf(view);
  bytes.set(name, BODY + fuse_notify_inval_entry_out.sizeof);
  return bytes;
}

/**
 * Does the same as encodeInvalidateEntry, but only if the name still refers to the node `child`. The kernel
 * also notifies inotify.
 */
export function encodeDelete(parent: NodeId, child: NodeId, name: Uint8Array): Uint8Array {
  const view = message(FUSE_NOTIFY_DELETE, fuse_notify_delete_out.sizeof + name.length + 1);
  writeU64(view, BODY + fuse_notify_delete_out.parent, parent);
  writeU64(view, BODY + fuse_notify_delete_out.child, child);
  view.setUint32(BODY + fuse_notify_delete_out.namelen, name.length, true);
  const bytes = bytesOf(view);
  bytes.set(name, BODY + fuse_notify_delete_out.sizeof);
  return bytes;
}

/**
 * Makes the kernel drop a node's cached attributes and its cached content in the range (for a directory, its
 * listing).
 * @param offset in bytes; -1 to drop only the attributes
 * @param length in bytes; 0 for everything after the offset
 */
export function encodeInvalidateInode(nodeId: NodeId, offset: number, length: number): Uint8Array {
  const view = message(FUSE_NOTIFY_INVAL_INODE, fuse_notify_inval_inode_out.sizeof);
  writeU64(view, BODY + fuse_notify_inval_inode_out.ino, nodeId);
  writeU64(view, BODY + fuse_notify_inval_inode_out.off, offset);
  writeU64(view, BODY + fuse_notify_inval_inode_out.len, length);
  return bytesOf(view);
}

/**
 * Puts content into the kernel's cache. Empty content only tests whether the kernel still holds the node: the
 * kernel answers ENOENT if it does not.
 */
export function encodeStore(nodeId: NodeId, offset: ByteCount, content: Uint8Array = EMPTY): Uint8Array {
  const view = message(FUSE_NOTIFY_STORE, fuse_notify_store_out.sizeof + content.length);
  writeU64(view, BODY + fuse_notify_store_out.nodeid, nodeId);
  writeU64(view, BODY + fuse_notify_store_out.offset, offset);
  view.setUint32(BODY + fuse_notify_store_out.size, content.length, true);
  const bytes = bytesOf(view);
  bytes.set(content, BODY + fuse_notify_store_out.sizeof);
  return bytes;
}

/**
 * Asks the kernel to drop these nodes if nothing uses them (7.45 and later; EINVAL before). The kernel takes
 * no directory's lock for that.
 */
export function encodePrune(nodeIds: readonly NodeId[]): Uint8Array {
  const view = message(FUSE_NOTIFY_PRUNE, fuse_notify_prune_out.sizeof + 8 * nodeIds.length);
  view.setUint32(BODY + fuse_notify_prune_out.count, nodeIds.length, true);
  nodeIds.forEach((nodeId, at) => {
    writeU64(view, BODY + fuse_notify_prune_out.sizeof + 8 * at, nodeId);
  });
  return bytesOf(view);
}

/**
 * Makes the kernel queue again every request that was read and not answered (7.40 and later; EINVAL before).
 */
export function encodeResend(): Uint8Array {
  return bytesOf(message(FUSE_NOTIFY_RESEND, 0));
}
