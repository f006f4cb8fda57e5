import { type OptionName, optionNames, optionOf } from '../config/options/options.ts';
import type { CommandSpec } from './command-spec.ts';

/** The options that describe how to reach the store; the commands about releases take them. */
export const STORE_OPTIONS = [
  'endpoint-url',
  'region',
  'profile',
  'force-path-style',
  'no-sign-request',
  'request-payer',
  'ca-file',
  'concurrency',
] as const satisfies readonly OptionName[];

/**
 * Returns the options of the schema that a command takes as flags. The command also reads these options from
 * the environment and from the file.
 */
export function optionsFor(command: CommandSpec['name']): readonly OptionName[] {
  switch (command) {
    case 'mount':
      return optionNames;
    case 'doctor':
      return optionNames.filter((name) => {
        const { group } = optionOf(name);
        const others: readonly OptionName[] = ['allow-other', 'driver', 'config'];
        return group === 'store' || group === 'cache' || group === 'release' || others.includes(name);
      });
    case 'deploy':
    case 'promote':
    case 'rollback':
    case 'releases':
    case 'release':
      return STORE_OPTIONS;
    default:
      return [];
  }
}
