import { createHash } from 'node:crypto';
import { FUSE_EXPORT_SUPPORT, type InitReply } from '../../wire/index.ts';

/**
 * The inode generation of a connection. A file handle is a node id and this: a handle that outlives the mount (an NFS
 * client has it, or the upper layer of an overlayfs) must be ESTALE once node ids begin anew. Node ids begin anew
 * together with the salt of the cookies, when nothing of an earlier process was kept. Hashed, since every reader can
 * see it in a handle, and the salt is secret: names that collide could be made with it.
 *
 * A connection that was agreed on without FUSE_EXPORT_SUPPORT has 0 for its whole life: an older server answered
 * so, and the kernel marks an inode as bad whose generation changes. Without a record of what was agreed on
 * (undefined) the predecessor died within moments of mounting, and it was a server that hashes.
 */
export function inodeGeneration(salt: bigint, init: Pick<InitReply, 'flags'> | undefined): number {
  if (init !== undefined && (init.flags & FUSE_EXPORT_SUPPORT) === 0n) return 0;
  return createHash('sha256').update(`inode generation ${salt}`).digest().readUInt32LE(0);
}
