import type { OptionGroup } from '../config/options/option.ts';
import { negationOf, type OptionName, optionOf, variableOf } from '../config/options/options.ts';
import type { CommandSpec } from './command-spec.ts';
import { wrapped } from './format.ts';
import { flagsHelp } from './help.ts';
import { optionsFor } from './options-by-command.ts';
import type { Paints } from './paint.ts';

const GROUPS: Readonly<Record<OptionGroup, string>> = {
  store: 'The store',
  release: 'Releases instead of a prefix',
  publication: 'How changes arrive',
  tree: 'What is shown',
  cache: 'The cache',
  mount: 'The mount',
  control: 'Control and metrics',
  process: 'The process',
};

/** The help text about where options get their values from, and how to write the values. */
export const PRECEDENCE =
  'A flag comes before the environment, that before the file of --config, that before the default. Switches take true or false in the environment and in the file. Lists are repeated flags, commas in the environment, a list in the file. Durations are written 250ms, 10s, 5m, 1h; sizes 4096, 64KiB, 2GiB, 10MB. An empty variable counts as none.';

/** Lists every option of a command by group, with its default and its variable. */
export function optionsHelp(command: CommandSpec, paints: Paints, width: number): string {
  const names = optionsFor(command.name);
  const groups = (Object.keys(GROUPS) as OptionGroup[]).flatMap((group) => {
    const members = names.filter((name) => optionOf(name).group === group);
    if (members.length === 0) return [];
    const entries = members.map((name) => optionHelp(name, paints, width));
    return [`${paints.bold(GROUPS[group])}\n${entries.join('')}`];
  });
  const others = `${paints.bold('Others')}\n${flagsHelp(command)}`;
  return [...groups, others, wrapped(PRECEDENCE, width, '')].join('\n');
}

function optionHelp(name: OptionName, paints: Paints, width: number): string {
  const { help, default: fallback } = optionOf(name);
  const heading = `  ${paints.bold(flagHelp(name))}  ${paints.dim(variableOf(name))}\n`;
  return heading + wrapped(`${help}. Default: ${fallback}.`, width, '      ');
}

/**
 * Formats the flag of an option: `--region REGION`, `--include GLOB …`, `--[no-]daemon`, `--no-sign-request |
 * --sign-request`.
 */
export function flagHelp(name: OptionName): string {
  const { placeholder, isList } = optionOf(name).kind;
  if (placeholder !== undefined) return `--${name} ${placeholder}${isList ? ' …' : ''}`;
  const negation = negationOf(name) as string;
  return negation === `no-${name}` ? `--[no-]${name}` : `--${name} | --${negation}`;
}
