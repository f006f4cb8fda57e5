import type { AwsProfile, ProfileValue } from '../aws-files.ts';
import type { HostEnvironment } from '../host-environment.ts';
import type { Kind, Unit } from '../kinds.ts';

export type OptionGroup =
  | 'store'
  | 'release'
  | 'publication'
  | 'tree'
  | 'cache'
  | 'mount'
  | 'control'
  | 'process';

/** The value of an option as it is written: one text, or several texts for a list. */
export type Written = string | readonly string[];

/** The value of an option that is not given. */
export interface Fallback {
  readonly text: Written;
  /** The AWS variable, or the key of an AWS profile, that the value comes from. */
  readonly source?: string;
}

/** One option of `mount`. `T` is the type of its value, with undefined where it may have none. */
export interface Option<T, U extends Unit = Unit> {
  readonly group: OptionGroup;
  readonly kind: Kind<T, U>;
  /** What the option does, in one line, for help. */
  readonly help: string;
  /** The default as help shows it. */
  readonly default: string;
  /**
   * Returns the value of the option if it is not given; undefined if it then has no value. Calls `profile`,
   * which reads the profile in AWS's own files, only if needed.
   */
  readonly fallback: (environment: HostEnvironment, profile: () => AwsProfile) => Fallback | undefined;
}

/**
 * Declares an option that always has a value. `described` is the default as help shows it; it is needed if
 * the default depends on the host.
 */
export function setting<T, U extends Unit>(option: {
  readonly group: OptionGroup;
  readonly kind: Kind<T, U>;
  readonly help: string;
  readonly default: Written | ((environment: HostEnvironment) => string);
  readonly described?: string;
}): Option<T, U> {
  const { default: given, described, ...rest } = option;
  const fallback = (environment: HostEnvironment): Fallback => ({
    text: typeof given === 'function' ? given(environment) : given,
  });
  return { ...rest, default: described ?? String(given), fallback };
}

/**
 * Declares an option that may have no value. Its default is that of the first of AWS's own `variables` that
 * is set, or else the value in the profile.
 */
export function optional<T, U extends Unit>(option: {
  readonly group: OptionGroup;
  readonly kind: Kind<T, U>;
  readonly help: string;
  readonly described: string;
  readonly variables?: readonly string[];
  readonly inProfile?: (profile: AwsProfile) => ProfileValue | undefined;
  /** Whether to ignore both the variables and the profile. */
  readonly unless?: (environment: HostEnvironment, profile: () => AwsProfile) => boolean;
}): Option<T | undefined, U> {
  const { described, variables = [], inProfile, unless = () => false, ...rest } = option;
  const fallback = (environment: HostEnvironment, profile: () => AwsProfile): Fallback | undefined => {
    if (unless(environment, profile)) return undefined;
    const variable = variables.find((name) => (environment.env[name] ?? '') !== '');
    if (variable !== undefined) return { text: environment.env[variable] as string, source: variable };
    const found = inProfile?.(profile());
    return found === undefined ? undefined : { text: found.text, source: found.place };
  };
  return { ...rest, default: described, fallback };
}
