import type { RunCommand } from './shell.ts';

export type CommandName =
  | 'mount'
  | 'unmount'
  | 'list'
  | 'status'
  | 'refresh'
  | 'generations'
  | 'diff'
  | 'problems'
  | 'accept'
  | 'restart'
  | 'ls'
  | 'why'
  | 'cache'
  | 'events'
  | 'top'
  | 'metrics'
  | 'log-level'
  | 'deploy'
  | 'promote'
  | 'rollback'
  | 'releases'
  | 'release'
  | 'doctor'
  | 'version'
  | 'help'
  | 'completion';

/** A flag of one command. */
export interface CommandFlag {
  readonly name: string;
  readonly help: string;
  /** Of its value; undefined for a flag that takes none. */
  readonly placeholder?: string;
  /** What its value is completed with. */
  readonly completes?: 'files' | 'mount-points' | 'sockets';
  readonly repeats?: boolean;
}

/** A command, for dispatch, help and completion. */
export interface CommandSpec {
  readonly name: CommandName;
  readonly aliases: readonly string[];
  /** What follows the name. */
  readonly usage: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** Paragraphs for the help of the command. */
  readonly description: readonly string[];
  /** Besides those of the schema. */
  readonly flags: readonly CommandFlag[];
  /** What completion offers for its arguments. */
  readonly argument:
    | 'directory'
    | 'mount-point'
    | 'tree-path'
    | 'cache-action'
    | 'generations'
    | 'log-level'
    | 'command'
    | 'deploy-source'
    | 'release-action'
    | 'shell'
    | 'nothing';
  readonly examples: readonly { readonly command: string; readonly does: string }[];
  /** Loads what it needs, and nothing that another command needs. */
  readonly load: () => Promise<{ readonly run: RunCommand }>;
}
