/**
 * Why something that another user of this host could have made is not used:
 *
 * - `missing`: it is not there
 * - `no-directory`, `no-file`, `no-socket`: it is something else, perhaps one that never answers, such as a FIFO
 * - `other-owner`: it does not belong to the user whose it has to be
 * - `open-to-others`: others than its owner may write to it
 * - `too-large`: it holds more than it may
 * - `user-filesystem`: it lies on a FUSE file system of a user, who may never answer
 * - `other-mount`: another mount is there than was looked at
 * - `unreadable`: the system refuses it
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
  /** What is wrong with the path, to follow it in a sentence. */
  readonly reason: string;

  constructor(code: HostErrorCode, path: string, reason: string) {
    super(`${path} ${reason}`);
    this.code = code;
    this.path = path;
    this.reason = reason;
  }
}
