/**
 * Why a state file is unusable:
 *
 * - `unreadable`: the system refuses to read it, or it is not a regular file of this user
 * - `not-a-state`, `older-format`, `newer-format`, `foreign`: not a state of a known format of this mount
 * - `truncated`, `checksum`, `damaged`: its content is not what was written, or not what this version can use
 * - `uncommitted`: its publication was never committed
 */
export type StateErrorCode =
  | 'unreadable'
  | 'not-a-state'
  | 'older-format'
  | 'newer-format'
  | 'foreign'
  | 'truncated'
  | 'checksum'
  | 'damaged'
  | 'uncommitted';

export class StateError extends Error {
  readonly code: StateErrorCode;

  constructor(code: StateErrorCode, message: string) {
    super(message);
    this.name = 'StateError';
    this.code = code;
  }
}
