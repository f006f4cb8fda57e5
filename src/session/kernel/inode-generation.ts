import { createHash } from 'node:crypto';
import { FUSE_EXPORT_SUPPORT, type InitReply } from '../../wire/index.ts';

/**
 * Returns the inode generation of a connection. A file handle consists of a node id and the inode generation.
 * A handle that outlives the mount (of an NFS client, or the upper layer of an overlayfs) must become ESTALE
 * when node ids restart. Node ids restart, together with a new salt for the cookies, when no state of an
 * earlier process was kept. The inode generation is a hash of the salt and not the salt itself, because every
 * reader can see the generation in a handle. The salt must stay secret, because knowing it would allow
 * constructing names that collide.
 *
 * For a connection that was negotiated without FUSE_EXPORT_SUPPORT, returns 0 for the connection's whole
 * life, because an older server replied with 0, and the kernel marks an inode as bad if its generation
 * changes. `init` is undefined if there is no record of the negotiation. Then the predecessor died within
 * moments of mounting, and that predecessor was a server that uses the hash.
 */
export function inodeGeneration(salt: bigint, init: Pick<InitReply, 'flags'> | undefined): number {
  if (init !== undefined && (init.flags & FUSE_EXPORT_SUPPORT) === 0n) return 0;
  return createHash('sha256').update(`inode generation ${salt}`).digest().readUInt32LE(0);
}
