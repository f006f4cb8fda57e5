import { negationOf, type OptionName, optionOf } from '../../config/options/options.ts';
import { logLevels } from '../../control/shapes/daemon.ts';
import type { CommandFlag, CommandSpec } from '../command-spec.ts';
import { commands, shells } from '../commands.ts';
import { optionsFor } from '../options-by-command.ts';
import { releaseActions } from '../releases/release-actions.ts';
import type { CandidateKind } from './candidates.ts';

/** A flag as completion scripts need it. */
export interface CompletedFlag {
  /** The flag with its dashes. */
  readonly flag: string;
  /** The text of the flag's help, in one line. */
  readonly help: string;
  /** How the flag's value is completed; undefined for a flag without a value. */
  readonly value:
    | 'nothing'
    | 'files'
    | 'directories'
    | 'mount-points'
    | 'sockets'
    | 'trees'
    | readonly string[]
    | undefined;
  readonly repeats: boolean;
}

export interface CompletedCommand {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly summary: string;
  readonly argument: CommandSpec['argument'];
  readonly flags: readonly CompletedFlag[];
}

/** Returns every command with its flags, from the table of commands and the schema of options. */
export function completedCommands(): readonly CompletedCommand[] {
  return commands.map(({ name, aliases, summary, argument, flags }) => ({
    name,
    aliases,
    summary,
    argument,
    flags: [
      ...optionsFor(name).flatMap(completedOption),
      ...[...flags, { name: 'help', help: 'Explain this command' }].map(completedFlag),
    ],
  }));
}

function completedFlag({ name, help, placeholder, completes, repeats = false }: CommandFlag): CompletedFlag {
  return {
    flag: `--${name}`,
    help,
    value: placeholder === undefined ? undefined : (completes ?? 'nothing'),
    repeats,
  };
}

function completedOption(name: OptionName): readonly CompletedFlag[] {
  const { help, kind } = optionOf(name);
  const negation = negationOf(name);
  if (negation === undefined) {
    const value = kind.completes === 'choices' ? kind.choices : kind.completes;
    return [{ flag: `--${name}`, help, value, repeats: kind.isList }];
  }
  return [
    { flag: `--${name}`, help, value: undefined, repeats: false },
    { flag: `--${negation}`, help: `Not: ${help}`, value: undefined, repeats: false },
  ];
}

/**
 * Returns the kind of words for which a shell runs `dagmount completion --candidates` to complete this
 * argument; undefined if the shell needs no such words.
 */
export function dynamicArgument(argument: CompletedCommand['argument']): CandidateKind | undefined {
  switch (argument) {
    case 'tree-path':
      return 'tree-paths';
    case 'cache-action':
      return 'cache-arguments';
    case 'generations':
      return 'generations';
    case 'environment':
      return 'environments';
    default:
      return undefined;
  }
}

/** Returns the fixed list of values for a command's argument; undefined if the argument has no such list. */
export function fixedArgument(
  argument: CompletedCommand['argument'],
  names: readonly string[],
): readonly string[] | undefined {
  if (argument === 'command') return names;
  if (argument === 'shell') return shells;
  if (argument === 'release-action') return releaseActions;
  return argument === 'log-level' ? logLevels : undefined;
}
