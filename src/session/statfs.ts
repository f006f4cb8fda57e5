import type { Generation } from '../tree/index.ts';
import type { StatfsFigures } from '../wire/index.ts';

/** Linux's NAME_MAX, which statfs(2) reports too. */
export const LONGEST_NAME_BYTES = 255;
const BLOCK_BYTES = 4096;
/**
 * The minimum number of free blocks that are reported: 4 TiB in blocks of 4 KiB, which is more than any byte
 * limit in monitoring. As many inodes are reported as free. All figures of a tree up to 1.6 TiB fit into 32
 * bits; above that, statfs(2) of a 32-bit program fails with EOVERFLOW.
 */
const NOMINALLY_FREE = 2 ** 30;
/**
 * The minimum number of free blocks (and inodes) for each used one. So at most 10 % are in use, however large
 * the tree is.
 */
const FREE_PER_USED = 9;

/**
 * Returns the statfs(2) figures of a mount. The figures of used blocks and inodes are true: they count the
 * bytes and entries of the shown trees. The figures of free ones are nominal.
 *
 * A true figure would be 0, because nothing can be written. But then `df` shows 100 %, and monitoring
 * (check_disk, agents, alert rules) reports a full disk, because it compares the available size with the
 * total. Such programs exclude types of filesystems that are known to be always full (squashfs, iso9660), but
 * few of them exclude every read-only mount, and none knows fuse.dagmount. A total size of 0, which procfs
 * reports, hides the mount from `df`, makes such rules divide by 0, and fails programs that check for space
 * first. Mountpoint for S3 reported 0, and changed it to a large constant, as s3fs has. CVMFS reports the
 * size and use of its cache, but these are not properties of the shown tree; `dagmount cache` and the metrics
 * show them.
 */
export function statfsOf(shown: readonly Pick<Generation, 'bytes' | 'entries'>[]): StatfsFigures {
  const bytes = shown.reduce((sum, tree) => sum + tree.bytes, 0);
  const entries = shown.reduce((sum, tree) => sum + tree.entries, 0);
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
