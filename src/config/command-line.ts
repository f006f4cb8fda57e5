import { parseArgs } from 'node:util';
import { ConfigError } from './config-error.ts';
import { nearest } from './nearest.ts';

/** A flag that a command knows. */
export interface FlagSpec {
  /** The name of the flag, without its leading dashes. */
  readonly name: string;
  readonly takesValue: boolean;
  /** The short form of the flag: one letter. */
  readonly short?: string;
}

export interface Flag {
  readonly name: string;
  /** Undefined for a flag without a value. */
  readonly value: string | undefined;
}

export interface CommandLine {
  /** The flags, in the order in which they were given. */
  readonly flags: readonly Flag[];
  readonly positionals: readonly string[];
}

/**
 * Parses the arguments of a command. Throws ConfigError `usage` if they do not fit `specs`; the hint then
 * names `command`.
 */
export function parseCommandLine(
  args: readonly string[],
  specs: readonly FlagSpec[],
  command: string,
): CommandLine {
  const known = new Map(specs.map((spec) => [spec.name, spec]));
  const see = `See dagmount help ${command}.`;
  const { tokens, positionals } = parseArgs({
    args: [...args],
    // The errors of a strict parseArgs would name neither the intended flag nor the help.
    strict: false,
    allowPositionals: true,
    tokens: true,
    options: Object.fromEntries(
      specs.map(({ name, takesValue, short }) => [
        name,
        {
          type: takesValue ? ('string' as const) : ('boolean' as const),
          ...(short === undefined ? {} : { short }),
        },
      ]),
    ),
  });
  const flags: Flag[] = [];
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const { name, rawName, value, inlineValue } = token;
    const spec = known.get(name);
    if (spec === undefined) {
      const meant = nearest(name, known.keys());
      const hint = meant === undefined ? see : `Did you mean --${meant}? ${see}`;
      throw new ConfigError('usage', `There is no option ${rawName} of dagmount ${command}.`, hint);
    }
    if (spec.takesValue && (value === undefined || (!inlineValue && looksLikeFlag(value)))) {
      throw new ConfigError('usage', `${rawName} needs a value.`, see);
    }
    if (!spec.takesValue && value !== undefined) {
      throw new ConfigError('usage', `${rawName} takes no value.`, `Say just ${rawName}. ${see}`);
    }
    flags.push({ name, value });
  }
  return { flags, positionals };
}

export function isGiven(flags: readonly Flag[], name: string): boolean {
  return flags.some((flag) => flag.name === name);
}

export function valuesOf(flags: readonly Flag[], name: string): readonly string[] {
  return flags.flatMap((flag) => (flag.name === name && flag.value !== undefined ? [flag.value] : []));
}

/**
 * Returns the value of a flag, the last one if the flag is given more than once; undefined if it is not
 * given.
 */
export function lastValue(flags: readonly Flag[], name: string): string | undefined {
  return valuesOf(flags, name).at(-1);
}

/**
 * Whether a text in the place of a value is a flag, which means that the user forgot the value. A negative
 * number is not a flag but a value, even if an invalid one.
 */
function looksLikeFlag(text: string): boolean {
  return /^-(?!\d|$)/.test(text);
}
