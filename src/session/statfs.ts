import type { Generation } from '../tree/index.ts';
import type { StatfsFigures } from '../wire/index.ts';

/** Linux's NAME_MAX, which statfs(2) reports too. */
export const LONGEST_NAME_BYTES = 255;
const BLOCK_BYTES = 4096;
/**
 * 4 TiB in blocks of 4 KiB, and as many inodes: more than any byte limit in monitoring. All figures of a tree up to
 * 1.6 TiB fit into 32 bits; above that statfs(2) of a 32-bit program fails with EOVERFLOW.
 */
const NOMINALLY_FREE = 2 ** 30;
/** At most 10 % are in use, however large the tree is. */
const FREE_PER_USED = 9;

/**
 * The statfs(2) figures of the trees of a mount. "Used" is true: their bytes and entries. "Free" is nominal.
 *
 * Nothing can be written, so free = 0 would be true as well. But then `df` shows 100 %, and monitoring reports a full
 * disk: check_disk, agents and alert rules compare available with size. They exclude types that are known to be
 * always full (squashfs, iso9660), but few of them exclude every read-only mount, and none knows fuse.dagmount. Size
 * = 0, as procfs has it, hides the mount from `df`, makes such rules divide by 0, and fails programs that check for
 * space first: Mountpoint for S3 had that, and changed it to a large constant, as s3fs has. The size and use of the
 * cache, which CVMFS reports, are not properties of this tree; `dagmount cache` and the metrics show them.
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
