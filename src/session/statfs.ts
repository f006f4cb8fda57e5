import type { Generation } from '../tree/index.ts';
import type { StatfsFigures } from '../wire/index.ts';

/** NAME_MAX of Linux, which statfs(2) promises too. */
export const LONGEST_NAME_BYTES = 255;
const BLOCK_BYTES = 4096;
/**
 * 4 TiB in blocks of 4 KiB, and as many inodes: more than any limit that monitoring sets in bytes. All figures of a tree
 * up to 1.6 TiB stay within 32 bits, above which statfs(2) of a 32-bit program fails with EOVERFLOW.
 */
const NOMINALLY_FREE = 2 ** 30;
/** At most 10 % are in use, however large the tree is. */
const FREE_PER_USED = 9;

/**
 * What statfs(2) says of a tree. "Used" is true: the bytes and the entries of the tree. "Free" is nominal.
 *
 * Nothing can be written, so free = 0 would be true as well. But then `df` says 100 %, and monitoring reports a full
 * disk: check_disk, agents and alert rules compare available with size. They leave out types that are known to be
 * always full (squashfs, iso9660), and few of them leave out every read-only mount; fuse.dagmount is not on any list.
 * Size = 0, as procfs has it, hides the mount from `df`, makes such rules divide by 0, and fails programs that look for
 * room first: Mountpoint for S3 had that, and changed it to a large constant, which s3fs answers as well. The size and
 * use of the cache, which CVMFS answers, are no property of this tree; `dagmount cache` and the metrics show them.
 */
export function statfsOf({ bytes, entries }: Generation): StatfsFigures {
  const used = Math.ceil(bytes / BLOCK_BYTES);
  const bfree = Math.max(NOMINALLY_FREE, FREE_PER_USED * used);
  const ffree = Math.max(NOMINALLY_FREE, FREE_PER_USED * entries);
  return {
    blocks: used + bfree,
    bfree,
    bavail: bfree,
    files: entries + ffree,
    ffree,
    bsize: BLOCK_BYTES,
    namelen: LONGEST_NAME_BYTES,
    frsize: BLOCK_BYTES,
  };
}
