import { constants } from 'node:os';
import type { ReadFailure } from '../base/read-failure.ts';
import type { ErrnoName } from '../wire/index.ts';

/** Why a request is refused. */
export type Refusal =
  | ReadFailure
  /** The object's storage class requires a restore before it can be read. */
  | 'archived'
  /** The limit of waiting reads is reached. */
  | 'too-many-reads'
  /** The limit of processes that wait for versions is reached. */
  | 'too-many-lookups'
  /** An internal error. */
  | 'fault'
  /** The message does not have the form its opcode requires. */
  | 'malformed'
  /** The kernel uses a protocol version that is not supported. */
  | 'other-protocol'
  | 'not-implemented'
  /** The reader was interrupted by a signal. */
  | 'interrupted'
  | 'read-only'
  /** No shown or held node has this node id, which may come from an old file handle. */
  | 'forgotten'
  | 'bad-handle'
  | 'no-entry'
  | 'not-a-directory'
  | 'is-a-directory'
  | 'name-too-long'
  | 'no-attribute'
  /** The attribute is in a namespace that this filesystem does not have. */
  | 'foreign-attribute'
  | 'attribute-too-long';

/**
 * The errno for each refusal. All code names a refusal and takes the errno from this table, except
 * native/channel.c, which answers IOCTL with ENOTTY.
 * After ENOSYS, the kernel never sends that opcode again on the connection. After EOPNOTSUPP for an extended
 * attribute, the kernel and `ls -l` stop asking for the attribute; after ENODATA they ask again for every
 * entry.
 */
const ERRNO_OF = {
  unavailable: 'EIO',
  replaced: 'ESTALE',
  archived: 'EIO',
  'too-many-reads': 'EIO',
  'too-many-lookups': 'EIO',
  fault: 'EIO',
  malformed: 'EIO',
  'other-protocol': 'EPROTO',
  'not-implemented': 'ENOSYS',
  interrupted: 'EINTR',
  'read-only': 'EROFS',
  forgotten: 'ESTALE',
  'bad-handle': 'EBADF',
  'no-entry': 'ENOENT',
  'not-a-directory': 'ENOTDIR',
  'is-a-directory': 'EISDIR',
  'name-too-long': 'ENAMETOOLONG',
  'no-attribute': 'ENODATA',
  'foreign-attribute': 'EOPNOTSUPP',
  'attribute-too-long': 'ERANGE',
} as const satisfies Readonly<Record<Refusal, ErrnoName>>;

export function errnoOf<R extends Refusal>(refusal: R): (typeof ERRNO_OF)[R] {
  return ERRNO_OF[refusal];
}

/**
 * Returns the errno as libfuse expects it: negative, and with the number that this platform uses, which may
 * differ from the number on Linux.
 */
export function libfuseErrno(refusal: Refusal): number {
  return -constants.errno[ERRNO_OF[refusal]];
}

/** The errnos of failed reads, as metrics count them. */
export const READ_ERRNOS = ['EIO', 'ESTALE'] as const satisfies readonly ReadErrno[];
export type ReadErrno = (typeof ERRNO_OF)[ReadFailure | 'archived' | 'too-many-reads'];
