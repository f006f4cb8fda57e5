import { createHash } from 'node:crypto';
import { FUSE_EXPORT_SUPPORT, type InitReply } from '../../wire/index.ts';

/**
 * The inode generation of a connection. A file handle consists of a node id and this. A handle that outlives the
 * mount (of an NFS client, or the upper layer of an overlayfs) must become ESTALE when node ids restart. They
 * restart, with a new salt for the cookies, when no state of an earlier process was kept. The generation is a hash of
 * the salt, because every reader can see it in a handle, and the salt is secret: knowing it would allow constructing
 * names that collide.
 *
 * A connection negotiated without FUSE_EXPORT_SUPPORT has 0 for its whole life: an older server answered so, and the
 * kernel marks an inode as bad if its generation changes. Without a record of the negotiation (undefined) the
 * predecessor died within moments of mounting, and it was a server that hashes.
 */
export function inodeGeneration(salt: bigint, init: Pick<InitReply, 'flags'> | undefined): number {
  if (init !== undefined && (init.flags & FUSE_EXPORT_SUPPORT) === 0n) return 0;
  return createHash('sha256').update(`inode generation ${salt}`).digest().readUInt32LE(0);
}
