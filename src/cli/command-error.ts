/**
 * - `not-mounted`: there is no mount where one should be
 * - `not-dagmount`: what is mounted there is no dagmount
 * - `daemon-lingers`: the mount is gone, and its daemon is not, after a while
 * - `no-daemon`: no daemon runs that could be asked
 * - `several-daemons`: more than one does, and none was named
 * - `no-generation`: there is no such generation
 * - `no-entry`: there is no such path in the tree
 * - `no-source`: a file or directory that is to be deployed is not there
 * - `no-release`: there is no such release
 * - `node-lags`: a node did not show a step in time
 * - `no-terminal`: it is for a terminal, and there is none
 * - `interrupted`: stopped before it was done
 * - `output-failed`: stdout cannot be written
 * - `daemon-failed`: the daemon ended before it was ready and did not say why
 */
export type CommandErrorCode =
  | 'not-mounted'
  | 'not-dagmount'
  | 'daemon-lingers'
  | 'no-daemon'
  | 'several-daemons'
  | 'no-generation'
  | 'no-entry'
  | 'no-source'
  | 'no-release'
  | 'node-lags'
  | 'no-terminal'
  | 'interrupted'
  | 'output-failed'
  | 'daemon-failed';

/** A command that cannot do what it should: one sentence of what is wrong, one of what to do. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly code: CommandErrorCode;
  readonly hint: string;

  constructor(code: CommandErrorCode, message: string, hint: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.hint = hint;
  }
}
