import { CodedError } from '../base/coded-error.ts';

/**
 * - `not-mounted`: there is no mount at the path
 * - `not-dagmount`: the mount at the path is not a dagmount
 * - `daemon-lingers`: the mount is gone, but its daemon has not ended in time
 * - `no-daemon`: no daemon is running
 * - `several-daemons`: several daemons are running, and none was selected
 * - `several-trees`: the mount shows several trees, and none was selected
 * - `no-generation`: the generation does not exist
 * - `no-entry`: the path does not exist in the tree
 * - `no-source`: a file or directory to deploy does not exist
 * - `no-release`: the release does not exist
 * - `node-lags`: a node did not show a step in time
 * - `no-terminal`: the command needs a terminal
 * - `interrupted`: the command was stopped before it had finished
 * - `output-failed`: stdout cannot be written
 * - `daemon-failed`: the daemon ended before it was ready, and gave no reason
 */
export type CommandErrorCode =
  | 'not-mounted'
  | 'not-dagmount'
  | 'daemon-lingers'
  | 'no-daemon'
  | 'several-daemons'
  | 'several-trees'
  | 'no-generation'
  | 'no-entry'
  | 'no-source'
  | 'no-release'
  | 'node-lags'
  | 'no-terminal'
  | 'interrupted'
  | 'output-failed'
  | 'daemon-failed';

/** A command failed. The message says in one sentence what is wrong; the hint says what to do. */
export class CommandError extends CodedError<CommandErrorCode> {
  override readonly name = 'CommandError';
}
