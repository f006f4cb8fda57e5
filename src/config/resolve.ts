import { dirname } from 'node:path';
import { type AwsProfile, profileOfEnvironment, readAwsProfile } from './aws-files.ts';
import { ConfigError } from './config-error.ts';
import { givenByEnvironment } from './from-environment.ts';
import { givenByFile } from './from-file.ts';
import type { HostEnvironment } from './host-environment.ts';
import { completePath, isPath } from './kinds.ts';
import { type OptionName, type OptionValues, optionNames, optionOf } from './options/options.ts';
import { type Given, type GivenOptions, nameAtOrigin, type Origin } from './origin.ts';
import type { GivenTree } from './trees-in-file.ts';

/** An option, its value, and the origin of the value. */
export interface ResolvedOption {
  readonly name: OptionName;
  /** The value as it was written, with paths completed; undefined if the option has no value. */
  readonly text: string | readonly string[] | undefined;
  readonly value: unknown;
  readonly origin: Origin;
}

export interface ResolvedOptions {
  readonly values: OptionValues;
  /** Every option, in the order of the schema. */
  readonly options: readonly ResolvedOption[];
  /** The trees in the order of the configuration file. A tree's own options override all others. */
  readonly trees: readonly ResolvedTree[];
}

export interface ResolvedTree extends Omit<ResolvedOptions, 'trees'> {
  readonly given: GivenTree;
}

/**
 * Resolves every option: flags override the environment, which overrides the file, which overrides the
 * defaults. Throws ConfigError for the first unknown key or invalid value in any place, even if another place
 * overrides that value.
 */
export function resolveOptions(flags: GivenOptions, environment: HostEnvironment): ResolvedOptions {
  const variables = givenByEnvironment(environment.env);
  const named = flags.get('config') ?? variables.get('config');
  const path = named === undefined ? undefined : (resolveGiven('config', named, environment).value as string);
  const file = path === undefined ? undefined : givenByFile(path);
  const places = [flags, variables, file?.options ?? new Map()];
  const trees = (file?.trees ?? []).map((given) => ({
    given,
    ...resolvePlaces([given.options, ...places], environment),
  }));
  return { ...resolvePlaces(places, environment), trees };
}

/** Resolves every option from several places, of which an earlier place overrides a later one. */
function resolvePlaces(
  places: readonly GivenOptions[],
  environment: HostEnvironment,
): Omit<ResolvedOptions, 'trees'> {
  const { value: profile } = resolveOption('profile', places, environment, noProfile);
  const readProfile = profileReader(profile as OptionValues['profile'], environment);
  const options = optionNames.map((name) => resolveOption(name, places, environment, readProfile));
  const values = Object.fromEntries(options.map(({ name, value }) => [name, value])) as OptionValues;
  return { values: Object.freeze(values), options };
}

function resolveOption(
  name: OptionName,
  places: readonly GivenOptions[],
  environment: HostEnvironment,
  profile: () => AwsProfile,
): ResolvedOption {
  const [first] = places.flatMap((place) => {
    const given = place.get(name);
    return given === undefined ? [] : [resolveGiven(name, given, environment)];
  });
  if (first !== undefined) return first;
  const fallback = optionOf(name).fallback(environment, profile);
  if (fallback === undefined) {
    return { name, text: undefined, value: undefined, origin: { kind: 'default', source: undefined } };
  }
  const origin = { kind: 'default', source: fallback.source } as const;
  return resolveGiven(name, { text: fallback.text, origin }, environment);
}

function resolveGiven(name: OptionName, given: Given, environment: HostEnvironment): ResolvedOption {
  const { kind } = optionOf(name);
  const { origin } = given;
  // A relative path in a file is relative to that file, wherever dagmount is started.
  const directory = origin.kind === 'file' ? dirname(origin.file) : environment.workingDirectory;
  const text =
    isPath(kind) && typeof given.text === 'string' ? completePath(given.text, directory) : given.text;
  const parsed = kind.schema.safeParse(text);
  if (!parsed.success) {
    throw new ConfigError(
      'bad-value',
      `${nameAtOrigin(name, origin)} cannot be ${quoted(given.text)}.`,
      `Allowed: ${kind.allowed}.`,
    );
  }
  return { name, text, value: parsed.data, origin };
}

/**
 * Takes the place of the profile while its name is resolved: that name is an option, too, whose default
 * cannot come from a profile.
 */
function noProfile(): never {
  throw new Error('the name of the profile cannot come from a profile');
}

/**
 * Creates the function that reads the profile. It reads the profile once, and only if an option has no value
 * from elsewhere.
 */
function profileReader(named: string | undefined, environment: HostEnvironment): () => AwsProfile {
  let read: AwsProfile | undefined;
  return () => {
    read ??= readAwsProfile(named ?? profileOfEnvironment(environment.env) ?? 'default', environment);
    return read;
  };
}

function quoted(text: string | readonly string[]): string {
  // Hides the user and password that an address may have by mistake.
  return JSON.stringify(text).replace(/(\/\/)[^/@"]*@/g, '$1***@');
}
