import {
  FUSE_ALLOW_IDMAP,
  FUSE_ASYNC_READ,
  FUSE_AUTO_INVAL_DATA,
  FUSE_CACHE_SYMLINKS,
  FUSE_DO_READDIRPLUS,
  FUSE_EXPORT_SUPPORT,
  FUSE_HAS_EXPIRE_ONLY,
  FUSE_HAS_RESEND,
  FUSE_INIT_EXT,
  FUSE_KERNEL_MINOR_VERSION,
  FUSE_KERNEL_VERSION,
  FUSE_MAX_PAGES,
  FUSE_NO_OPEN_SUPPORT,
  FUSE_NO_OPENDIR_SUPPORT,
  FUSE_PARALLEL_DIROPS,
} from './constants.ts';
import { type ByteCount, requireLittleEndianHost } from './numbers.ts';
import type { InitFields } from './requests.ts';

/** The fields of fuse_init_out that are used; all others are 0. */
export interface InitReply {
  readonly major: number;
  readonly minor: number;
  /** Bytes. */
  readonly maxReadahead: ByteCount;
  readonly flags: bigint;
  /** Requests. */
  readonly maxBackground: number;
  /** Requests. */
  readonly congestionThreshold: number;
  /** Bytes. */
  readonly maxWrite: ByteCount;
  /** Nanoseconds. */
  readonly timeGran: number;
  /** Pages of 4 KiB. */
  readonly maxPages: number;
}

export interface NegotiateOptions {
  /**
   * Whether to accept FUSE_HAS_RESEND. Tests turn it off to make a newer kernel behave like an older one in a
   * takeover.
   */
  readonly resend: boolean;
  /**
   * Whether to accept FUSE_ALLOW_IDMAP (Linux 6.12), which permits idmapped mounts of this mount. The kernel
   * then sends uid and gid only with requests that create an inode, and FUSE_INVALID_UIDGID with all others,
   * READ included.
   */
  readonly idmap: boolean;
}

export type Negotiation =
  /** Send the reply, which starts the session. `flags` holds the flags that both sides support. */
  | { readonly kind: 'agreed'; readonly reply: InitReply }
  /** Send the reply: the kernel then sends INIT again, in the major version that we speak. */
  | { readonly kind: 'again'; readonly reply: InitReply }
  | { readonly kind: 'refused'; readonly reason: string };

/**
 * The oldest supported minor version. 7.29 (Linux 5.1) is the first in which ENOSYS to OPENDIR opens the
 * directory instead of failing. The session depends on that.
 */
const OLDEST_MINOR = 29;

/**
 * The flags that dagmount requests. It deliberately does not request READDIRPLUS_AUTO (causes a LOOKUP for
 * nearly every entry), WRITEBACK_CACHE, POSIX_LOCKS and FLOCK_LOCKS (locks stay local to the kernel),
 * POSIX_ACL, PASSTHROUGH (needs a successful OPEN), OVER_IO_URING and REQUEST_TIMEOUT (each breaks a
 * takeover).
 */
const WANTED =
  FUSE_ASYNC_READ |
  FUSE_AUTO_INVAL_DATA |
  FUSE_DO_READDIRPLUS |
  FUSE_EXPORT_SUPPORT |
  FUSE_PARALLEL_DIROPS |
  FUSE_NO_OPEN_SUPPORT |
  FUSE_NO_OPENDIR_SUPPORT |
  FUSE_MAX_PAGES |
  FUSE_CACHE_SYMLINKS |
  FUSE_INIT_EXT |
  FUSE_HAS_EXPIRE_ONLY |
  FUSE_HAS_RESEND;

/**
 * The maximum number of pending background requests. Every READ through the page cache counts as one. When
 * this many are pending, the kernel sends no further READ of any reader, even one that could be answered
 * immediately. With 64, a user that read 64 files that were not local blocked every other reader. A pending
 * request takes about a hundred bytes; the session divides these slots among users. For unprivileged mounts
 * the kernel may grant fewer (max_user_bgreq).
 */
export const MAX_BACKGROUND = 4096;

/** The maximum number of pages in a READ, so that a READ has up to 1 MiB. */
const MAX_PAGES = 256;

const NOTHING: InitReply = {
  major: FUSE_KERNEL_VERSION,
  minor: FUSE_KERNEL_MINOR_VERSION,
  maxReadahead: 0,
  flags: 0n,
  maxBackground: 0,
  congestionThreshold: 0,
  maxWrite: 0,
  timeGran: 0,
  maxPages: 0,
};

/**
 * Decides the reply to the kernel's INIT.
 * @throws Error on a big-endian host.
 */
export function negotiate(offer: InitFields, options: NegotiateOptions): Negotiation {
  requireLittleEndianHost();
  if (offer.major > FUSE_KERNEL_VERSION) {
    return { kind: 'again', reply: NOTHING };
  }
  if (offer.major < FUSE_KERNEL_VERSION || offer.minor < OLDEST_MINOR) {
    return {
      kind: 'refused',
      reason:
        `the kernel speaks FUSE ${offer.major}.${offer.minor}; ` +
        `at least ${FUSE_KERNEL_VERSION}.${OLDEST_MINOR} (Linux 5.1) is needed`,
    };
  }
  const wanted =
    (options.resend ? WANTED : WANTED & ~FUSE_HAS_RESEND) | (options.idmap ? FUSE_ALLOW_IDMAP : 0n);
  const reply: InitReply = {
    major: FUSE_KERNEL_VERSION,
    minor: Math.min(offer.minor, FUSE_KERNEL_MINOR_VERSION),
    maxReadahead: offer.maxReadahead,
    flags: offer.flags & wanted,
    maxBackground: MAX_BACKGROUND,
    congestionThreshold: (MAX_BACKGROUND * 3) / 4,
    maxWrite: 4096, // the least that the kernel accepts, because nothing is ever written
    timeGran: 1,
    maxPages: MAX_PAGES,
  };
  return { kind: 'agreed', reply };
}
