/**
 * - `bad-listing`: the listing's columns contradict themselves, or have a size that is no safe integer
 * - `bad-pattern`: a pattern that no path could ever match, or that is a comment
 * - `bad-state`: node ids that a build was given were used before, or the tree is too large for the format
 * - `not-a-generation`, `unsupported-format`, `truncated`, `checksum`, `damaged`: encoded bytes are not those
 *   that were written. The tree in them must not be used.
 */
export type TreeErrorCode =
  | 'bad-listing'
  | 'bad-pattern'
  | 'bad-state'
  | 'not-a-generation'
  | 'unsupported-format'
  | 'truncated'
  | 'checksum'
  | 'damaged';

export class TreeError extends Error {
  readonly code: TreeErrorCode;

  constructor(code: TreeErrorCode, message: string) {
    super(message);
    this.name = 'TreeError';
    this.code = code;
  }
}
