/**
 * Why a state file cannot be used:
 *
 * - `unreadable`: the system does not let it be read, or it is no file
 * - `not-a-state`, `older-format`, `newer-format`, `foreign`: it was not written by this format for this mount
 * - `truncated`, `checksum`, `damaged`: it is not what was written
 * - `uncommitted`: it was never made the state in force
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
