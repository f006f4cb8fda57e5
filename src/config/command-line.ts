import { parseArgs } from 'node:util';
import { ConfigError } from './config-error.ts';
import { nearest } from './nearest.ts';

/** A flag that a command knows. */
export interface FlagSpec {
  /** Without the dashes in front. */
  readonly name: string;
  readonly takesValue: boolean;
  /** One letter. */
  readonly short?: string;
}

export interface Flag {
  readonly name: string;
  /** Undefined for a flag without a value. */
  readonly value: string | undefined;
}

export interface CommandLine {
  /** In the order in which they were given. */
  readonly flags: readonly Flag[];
  readonly positionals: readonly string[];
}

/** Throws ConfigError `usage`. `command`: the command to name in the hint. */
export function parseCommandLine(
  args: readonly string[],
  specs: readonly FlagSpec[],
  command: string,
): CommandLine {
  const known = new Map(specs.map((spec) => [spec.name, spec]));
  const see = `See dagmount help ${command}.`;
  const { tokens, positionals } = parseArgs({
    args: [...args],
    // parseArgs' own errors name neither the intended flag nor the help.
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

/** If a flag is given more than once, the last value counts. */
export function lastValue(flags: readonly Flag[], name: string): string | undefined {
  return valuesOf(flags, name).at(-1);
}

/** A flag in place of a value means that the value was forgotten; a negative number is a value, if an invalid one. */
function looksLikeFlag(text: string): boolean {
  return /^-(?!\d|$)/.test(text);
}
