/**
 * Constants of the FUSE kernel protocol (up to 7.45), with their names in linux/fuse.h.
 * test/wire/linux-header.test.ts compares each constant that the system's linux/fuse.h knows with that
 * header.
 */

export const FUSE_KERNEL_VERSION = 7;
/** The newest minor version whose messages this codec knows. */
export const FUSE_KERNEL_MINOR_VERSION = 45;

/** The node id of the root directory; no other node has it. */
export const FUSE_ROOT_ID = 1;

/** The smallest buffer in bytes for read(2) on the device. With a smaller one, read(2) fails with EINVAL. */
export const FUSE_MIN_READ_BUFFER = 8192;

/**
 * INIT flags. They are a 64-bit field, which INIT splits: bits 0 to 31 are in `flags`, bits 32 to 63 in
 * `flags2`. They are bigint because JavaScript's bit operators stop at 32 bits, and INIT is handled once per
 * mount.
 */
export const FUSE_ASYNC_READ = 1n << 0n;
export const FUSE_POSIX_LOCKS = 1n << 1n;
export const FUSE_ATOMIC_O_TRUNC = 1n << 3n;
export const FUSE_EXPORT_SUPPORT = 1n << 4n;
export const FUSE_BIG_WRITES = 1n << 5n;
export const FUSE_DONT_MASK = 1n << 6n;
export const FUSE_SPLICE_WRITE = 1n << 7n;
export const FUSE_SPLICE_MOVE = 1n << 8n;
export const FUSE_SPLICE_READ = 1n << 9n;
export const FUSE_FLOCK_LOCKS = 1n << 10n;
export const FUSE_HAS_IOCTL_DIR = 1n << 11n;
export const FUSE_AUTO_INVAL_DATA = 1n << 12n;
export const FUSE_DO_READDIRPLUS = 1n << 13n;
export const FUSE_READDIRPLUS_AUTO = 1n << 14n;
export const FUSE_ASYNC_DIO = 1n << 15n;
export const FUSE_WRITEBACK_CACHE = 1n << 16n;
export const FUSE_NO_OPEN_SUPPORT = 1n << 17n;
export const FUSE_PARALLEL_DIROPS = 1n << 18n;
export const FUSE_HANDLE_KILLPRIV = 1n << 19n;
export const FUSE_POSIX_ACL = 1n << 20n;
export const FUSE_ABORT_ERROR = 1n << 21n;
export const FUSE_MAX_PAGES = 1n << 22n;
export const FUSE_CACHE_SYMLINKS = 1n << 23n;
export const FUSE_NO_OPENDIR_SUPPORT = 1n << 24n;
export const FUSE_EXPLICIT_INVAL_DATA = 1n << 25n;
export const FUSE_MAP_ALIGNMENT = 1n << 26n;
export const FUSE_SUBMOUNTS = 1n << 27n;
export const FUSE_HANDLE_KILLPRIV_V2 = 1n << 28n;
export const FUSE_SETXATTR_EXT = 1n << 29n;
export const FUSE_INIT_EXT = 1n << 30n;
export const FUSE_SECURITY_CTX = 1n << 32n;
export const FUSE_HAS_INODE_DAX = 1n << 33n;
export const FUSE_CREATE_SUPP_GROUP = 1n << 34n;
export const FUSE_HAS_EXPIRE_ONLY = 1n << 35n;
export const FUSE_DIRECT_IO_ALLOW_MMAP = 1n << 36n;
export const FUSE_PASSTHROUGH = 1n << 37n;
export const FUSE_NO_EXPORT_SUPPORT = 1n << 38n;
export const FUSE_HAS_RESEND = 1n << 39n;
export const FUSE_ALLOW_IDMAP = 1n << 40n;
export const FUSE_OVER_IO_URING = 1n << 41n;
export const FUSE_REQUEST_TIMEOUT = 1n << 42n;

/**
 * Bit 63 of `unique`. It marks a request that the kernel sends again after FUSE_NOTIFY_RESEND. The reply must
 * have the bit too.
 */
export const FUSE_UNIQUE_RESEND = 1n << 63n;

/** Notification codes, carried in the out header's `error` with `unique` 0. */
export const FUSE_NOTIFY_INVAL_INODE = 2;
export const FUSE_NOTIFY_INVAL_ENTRY = 3;
export const FUSE_NOTIFY_STORE = 4;
export const FUSE_NOTIFY_DELETE = 6;
export const FUSE_NOTIFY_RESEND = 7;
export const FUSE_NOTIFY_PRUNE = 9;

/** A flag of fuse_notify_inval_entry_out: the kernel does not drop the name, but must look it up again. */
export const FUSE_EXPIRE_ONLY = 1 << 0;
