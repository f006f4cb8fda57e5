/**
 * Why a state file is unusable:
 *
 * - `unreadable`: the system denies reading, or it is not a file
 * - `not-a-state`, `older-format`, `newer-format`, `foreign`: not written by this format for this mount
 * - `truncated`, `checksum`, `damaged`: its content was altered
 * - `uncommitted`: it was never put in force
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
