import { CodedError } from '../base/coded-error.ts';

export type MountErrorCode =
  | 'no-addon'
  | 'no-device'
  | 'no-fusermount'
  | 'no-fuse-native'
  | 'mount-failed'
  | 'unmount-failed'
  | 'session-failed'
  | 'state-unusable'
  | 'target-missing'
  | 'target-not-directory'
  | 'target-not-empty'
  | 'target-mounted'
  | 'already-running';

/**
 * A mount that cannot be made, served or removed. The message says in one sentence what is wrong; the hint
 * says what to do.
 */
export class MountError extends CodedError<MountErrorCode> {
  override readonly name = 'MountError';
}
