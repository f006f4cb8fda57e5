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
  | 'csi'
  | 'hold'
  | 'doctor'
  | 'version'
  | 'help'
  | 'completion';

/** A flag that only one command has. */
export interface CommandFlag {
  readonly name: string;
  readonly help: string;
  /** Placeholder for the flag's value; undefined for a flag without a value. */
  readonly placeholder?: string;
  /** How shells complete the flag's value. */
  readonly completes?: 'files' | 'mount-points' | 'sockets' | 'trees';
  readonly repeats?: boolean;
}

/** A command's description, for dispatch, help and completion. */
export interface CommandSpec {
  readonly name: CommandName;
  readonly aliases: readonly string[];
  /** The usage text after the command's name. */
  readonly usage: string;
  /** What the command does, in one line, for the list of commands. */
  readonly summary: string;
  /** The paragraphs of the command's help. */
  readonly description: readonly string[];
  /** The command's flags that are not options of the schema. */
  readonly flags: readonly CommandFlag[];
  /** How shells complete the command's arguments. */
  readonly argument:
    | 'directory'
    | 'mount-point'
    | 'tree-path'
    | 'cache-action'
    | 'generations'
    | 'log-level'
    | 'command'
    | 'deploy-source'
    | 'environment'
    | 'release-action'
    | 'shell'
    | 'nothing';
  readonly examples: readonly { readonly command: string; readonly does: string }[];
  /** Loads only the modules that this command needs. */
  readonly load: () => Promise<{ readonly run: RunCommand }>;
}
