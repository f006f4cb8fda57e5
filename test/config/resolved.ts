import { parseCommandLine } from '../../src/config/command-line.ts';
import { ConfigError } from '../../src/config/config-error.ts';
import { flagSpecs, givenByFlags } from '../../src/config/from-flags.ts';
import type { HostEnvironment } from '../../src/config/host-environment.ts';
import type { OptionName } from '../../src/config/options/options.ts';
import type { GivenOptions } from '../../src/config/origin.ts';
import { type ResolvedOption, type ResolvedOptions, resolveOptions } from '../../src/config/resolve.ts';
import { environment } from './host-environment.ts';

export function givenFlags(args: readonly string[]): GivenOptions {
  return givenByFlags(parseCommandLine(args, flagSpecs(), 'mount').flags);
}

/** The options that result from these flags and this environment. */
export function resolved(
  args: readonly string[],
  env: HostEnvironment['env'] = {},
  changes: Partial<HostEnvironment> = {},
): ResolvedOptions {
  return resolveOptions(givenFlags(args), environment({ env, ...changes }));
}

export function optionIn(options: ResolvedOptions, name: OptionName): ResolvedOption {
  const found = options.options.find((option) => option.name === name);
  if (found === undefined) throw new Error(`there is no ${name}`);
  return found;
}

/** The ConfigError that `attempt` throws, as one text: `code: message hint`. */
export function refusal(attempt: () => unknown): string {
  try {
    attempt();
  } catch (error) {
    if (error instanceof ConfigError) return `${error.code}: ${error.message} ${error.hint}`;
    throw error;
  }
  throw new Error('it was not refused');
}
