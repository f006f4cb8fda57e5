import type { Kind } from './kinds.ts';
import type { Surroundings } from './surroundings.ts';

export type OptionGroup = 'store' | 'publication' | 'tree' | 'cache' | 'mount' | 'control' | 'process';

/** What is written: one text, or several for a list. */
export type Written = string | readonly string[];

/** What holds where nobody says anything. */
export interface Fallback {
  readonly text: Written;
  /** A variable of AWS's own that said it. */
  readonly variable?: string;
}

/** One option of `mount`. `T` is the type of its value, with undefined where it may have none. */
export interface Option<T> {
  readonly group: OptionGroup;
  readonly kind: Kind<T>;
  /** One line for help. */
  readonly help: string;
  /** What help gives as the default. */
  readonly default: string;
  readonly fallback: (surroundings: Surroundings) => Fallback | undefined;
}

/** An option that always has a value. `described`: the default as help shows it, where it depends on the host. */
export function setting<T>(option: {
  readonly group: OptionGroup;
  readonly kind: Kind<T>;
  readonly help: string;
  readonly default: Written | ((surroundings: Surroundings) => string);
  readonly described?: string;
}): Option<T> {
  const { default: given, described, ...rest } = option;
  const fallback = (surroundings: Surroundings): Fallback => ({
    text: typeof given === 'function' ? given(surroundings) : given,
  });
  return { ...rest, default: described ?? String(given), fallback };
}

/** An option that may have no value. `variables`: of AWS's own, the first one that is set is the default. */
export function optional<T>(option: {
  readonly group: OptionGroup;
  readonly kind: Kind<T>;
  readonly help: string;
  readonly described: string;
  readonly variables?: readonly string[];
  /** Whether this host wants `variables` to be looked at. */
  readonly unless?: (surroundings: Surroundings) => boolean;
}): Option<T | undefined> {
  const { described, variables = [], unless = () => false, ...rest } = option;
  const fallback = (surroundings: Surroundings): Fallback | undefined => {
    if (unless(surroundings)) return undefined;
    const variable = variables.find((name) => (surroundings.env[name] ?? '') !== '');
    return variable === undefined ? undefined : { text: surroundings.env[variable] as string, variable };
  };
  return { ...rest, default: described, fallback };
}
