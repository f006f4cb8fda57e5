import type { Flag, FlagSpec } from './command-line.ts';
import { negationOf, type OptionName, optionNames, optionOf } from './options/options.ts';
import type { Given, GivenOptions } from './origin.ts';

/** Returns the flags of options: each option's name, and the negation of each switch. */
export function flagSpecs(names: readonly OptionName[] = optionNames): readonly FlagSpec[] {
  return names.flatMap((name): readonly FlagSpec[] => {
    const negation = negationOf(name);
    if (negation === undefined) return [{ name, takesValue: true }];
    return [name, negation].map((each) => ({ name: each, takesValue: false }));
  });
}

/**
 * Returns the options that flags set. The last value of an option counts; the values of a list add up.
 * Ignores all other flags.
 */
export function givenByFlags(flags: readonly Flag[]): GivenOptions {
  const names = new Map<string, { readonly name: OptionName; readonly negates: boolean }>();
  for (const name of optionNames) {
    names.set(name, { name, negates: false });
    const negation = negationOf(name);
    if (negation !== undefined) names.set(negation, { name, negates: true });
  }
  const given = new Map<OptionName, Given>();
  for (const flag of flags) {
    const meant = names.get(flag.name);
    if (meant === undefined) continue;
    const { name, negates } = meant;
    const origin = { kind: 'flag', flag: `--${flag.name}` } as const;
    const text = flag.value ?? String(!negates);
    const before = given.get(name)?.text ?? [];
    given.set(name, { text: optionOf(name).kind.isList ? [...before, text] : text, origin });
  }
  return given;
}
