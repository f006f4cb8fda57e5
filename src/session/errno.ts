import { constants } from 'node:os';
import type { ReadFailure } from '../base/read-failure.ts';
import type { ErrnoName } from '../wire/index.ts';

/** Why a request is refused. */
export type Refusal =
  | ReadFailure
  /** The object is in a class that has to be restored before it can be read. */
  | 'archived'
  /** More reads wait than are kept. */
  | 'too-many-reads'
  /** More processes wait for versions than may. */
  | 'too-many-lookups'
  /** A fault of ours. */
  | 'fault'
  /** The message is not what its opcode demands. */
  | 'malformed'
  /** The kernel speaks another protocol. */
  | 'other-protocol'
  | 'not-implemented'
  /** The reader was interrupted by a signal. */
  | 'interrupted'
  | 'read-only'
  /** A node id or a handle that nothing stands for any more. */
  | 'forgotten'
  | 'bad-handle'
  | 'no-entry'
  | 'not-a-directory'
  | 'is-a-directory'
  | 'name-too-long'
  | 'no-attribute'
  /** Of a namespace that there is none of here. */
  | 'foreign-attribute'
  | 'attribute-too-long';

/**
 * The one place where an errno is chosen.
 *
 * ENOSYS is remembered for the connection: the kernel never sends that opcode again. EOPNOTSUPP of an attribute stops the
 * kernel and `ls -l` from asking for it at every entry; after ENODATA they ask again.
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

/** As libfuse takes it: negative, and by this platform's numbers, which are not Linux's everywhere. */
export function libfuseErrno(refusal: Refusal): number {
  return -constants.errno[ERRNO_OF[refusal]];
}

/** What reads end with, as metrics count them. */
export const READ_ERRNOS = ['EIO', 'ESTALE'] as const satisfies readonly ReadErrno[];
export type ReadErrno = (typeof ERRNO_OF)[ReadFailure | 'archived' | 'too-many-reads'];
