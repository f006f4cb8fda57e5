/**
 * Why a file that another user of this host could have made is rejected:
 *
 * - `missing`: it does not exist
 * - `no-directory`, `no-file`, `no-socket`: it has another type, perhaps one that blocks, such as a FIFO
 * - `other-owner`: it does not belong to the required user
 * - `open-to-others`: users other than its owner may write to it
 * - `too-large`: it exceeds its size limit
 * - `user-filesystem`: it lies on a FUSE file system of a user, which may never answer
 * - `other-mount`: another mount is there than the one examined
 * - `unreadable`: the system denies access
 */
export type HostErrorCode =
  | 'missing'
  | 'no-directory'
  | 'no-file'
  | 'no-socket'
  | 'other-owner'
  | 'open-to-others'
  | 'too-large'
  | 'user-filesystem'
  | 'other-mount'
  | 'unreadable';

export class HostError extends Error {
  override readonly name = 'HostError';
  readonly code: HostErrorCode;
  readonly path: string;
  /** What is wrong; in the message it follows the path. */
  readonly reason: string;

  constructor(code: HostErrorCode, path: string, reason: string) {
    super(`${path} ${reason}`);
    this.code = code;
    this.path = path;
    this.reason = reason;
  }
}

export function tooLarge(path: string, mostBytes: number): HostError {
  return new HostError('too-large', path, `holds more than ${mostBytes} bytes`);
}
