import type { Endpoints } from '../base/store-endpoints.ts';
import { rejectContradictions } from './contradicting-options.ts';
import { rejectContradictingTrees } from './contradicting-trees.ts';
import type { HostEnvironment } from './host-environment.ts';
import type { Unit } from './kinds.ts';
import type { Option } from './options/option.ts';
import { type OptionName, type OptionValues, optionNames, optionOf, type schema } from './options/options.ts';
import type { GivenOptions } from './origin.ts';
import { placedTrees, requireNone, sourceOf } from './placed-trees.ts';
import { type ResolvedOption, type ResolvedTree, resolveOptions } from './resolve.ts';
import { parseS3Address } from './s3-address.ts';
import { type StandbySetting, standbySettings } from './standby-sources.ts';

/** What a mount shows, and where. */
export interface MountPlace {
  /**
   * `s3://BUCKET/PREFIX/`, or `trees:…` for a mount with several trees, whose bucket and prefix are empty.
   */
  readonly source: string;
  /** A bucket's name, an access point's alias or its ARN. */
  readonly bucket: string;
  /** The prefix of the keys: empty, or with a slash at its end. */
  readonly prefix: string;
  /** Absolute path of the mount point. */
  readonly target: string;
}

/** Options about the configuration itself, which MountConfig does not have. */
const aboutConfiguration = ['config', 'print-config'] as const satisfies readonly OptionName[];
type MountOption = Exclude<OptionName, (typeof aboutConfiguration)[number]>;

/**
 * The options of the schema, by the names that {@link fieldOf} gives them: `read-deadline` is `readDeadlineMs`,
 * `cache-size` is `cacheSizeBytes`, and `no-standby` is `standby`, its opposite.
 */
export type MountOptions = {
  readonly [Name in MountOption as Field<Name>]: OptionValues[Name];
};

type Field<Name extends MountOption> = `${CamelCase<Affirmed<Name>>}${UnitOf<Name>}`;
type Affirmed<Name extends string> = Name extends `no-${infer Rest}` ? Rest : Name;
type CamelCase<Name extends string> = Name extends `${infer First}-${infer Rest}`
  ? `${First}${Capitalize<CamelCase<Rest>>}`
  : Name;
type UnitOf<Name extends OptionName> =
  (typeof schema)[Name] extends Option<unknown, infer U extends Unit> ? U : never;

/** The complete, checked configuration of a mount. */
export interface MountConfig extends MountPlace, Omit<MountOptions, 'endpointUrl'> {
  readonly endpoints: Endpoints;
  /** The standby sources, in the order in which they are tried. */
  readonly standbys: readonly StandbySetting[];
  /**
   * The trees that are shown below one mount point, by path; empty if the source above is the whole mount.
   */
  readonly trees: readonly ConfiguredTree[];
}

/** One of several trees of a mount. */
export interface ConfiguredTree {
  /** The tree's directory below the mount point. */
  readonly path: string;
  /** The mount's configuration, with the tree's own options. */
  readonly config: MountConfig;
}

export interface ResolvedConfig {
  readonly config: MountConfig;
  /** Every option with its value and the value's origin, in the order of the schema. */
  readonly options: readonly ResolvedOption[];
  /** The trees that the configuration file names, in the order of their paths. */
  readonly trees: readonly ShownTreeOptions[];
  readonly printConfig: boolean;
}

/** The options that a tree sets itself; all others come from the mount. */
export interface ShownTreeOptions {
  readonly path: string;
  /** The s3:// address, as it was written. */
  readonly source: string;
  readonly options: readonly ResolvedOption[];
}

/**
 * Resolves the configuration of a mount from flags, environment, configuration file and defaults. Throws
 * ConfigError.
 *
 * @param address the s3:// address; undefined if the configuration file is to name the trees
 * @param target the mount point: an absolute path, symbolic links followed
 */
export function resolveMountConfig(
  address: string | undefined,
  target: string,
  flags: GivenOptions,
  environment: HostEnvironment,
): ResolvedConfig {
  const place = address === undefined ? undefined : { ...parseS3Address(address), target };
  const { values, options, trees: named } = resolveOptions(flags, environment);
  const printConfig = values['print-config'];
  if (place !== undefined) {
    requireNone(named, address);
    rejectContradictions(options);
    return { config: configOf(place, values), options, trees: [], printConfig };
  }
  const trees = placedTrees(named);
  rejectContradictingTrees(options, trees);
  const ofMount = { source: sourceOf(trees), bucket: '', prefix: '', target };
  const whole = configOf(ofMount, values);
  const configured = trees.map(({ path, address: { source, bucket, prefix }, resolved }) => {
    rejectContradictions(resolved.options);
    const config = configOf({ source, bucket, prefix, target }, resolved.values);
    return { path, config: Object.freeze({ ...config, cacheSizeBytes: cacheShare(whole, resolved, trees) }) };
  });
  return {
    config: Object.freeze({ ...whole, trees: Object.freeze(configured) }),
    options,
    trees: trees.map(({ resolved: { given, options: all } }) => ({
      path: given.path,
      source: given.source,
      options: all.filter(({ name }) => given.options.has(name)),
    })),
    printConfig,
  };
}

function configOf(place: MountPlace, values: OptionValues): MountConfig {
  const { endpointUrl, ...told } = mountOptions(values);
  const endpoints: Endpoints = Object.freeze([endpointUrl] as const);
  const standbys = standbySettings(told);
  return Object.freeze({ ...place, endpoints, standbys, trees: [], ...told });
}

/**
 * Returns the cache size of a tree: the tree's own option, or else an equal share of the mount's cache size.
 */
function cacheShare(
  { cacheSizeBytes }: MountConfig,
  { given, values }: ResolvedTree,
  trees: readonly unknown[],
): number {
  return given.options.has('cache-size')
    ? values['cache-size']
    : Math.max(1, Math.floor(cacheSizeBytes / trees.length));
}

function mountOptions(values: OptionValues): MountOptions {
  const about: readonly OptionName[] = aboutConfiguration;
  const fields = optionNames
    .filter((name) => !about.includes(name))
    .map((name) => [fieldOf(name), isNegative(name) ? !values[name] : values[name]]);
  return Object.fromEntries(fields) as MountOptions;
}

/**
 * Returns the name of an option's field in the configuration; {@link MountOptions} derives the same name for
 * the compiler.
 */
export function fieldOf(name: OptionName): string {
  const affirmed = isNegative(name) ? name.slice('no-'.length) : name;
  const camelCase = affirmed.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
  return `${camelCase}${optionOf(name).kind.unit}`;
}

function isNegative(name: OptionName): boolean {
  return name.startsWith('no-');
}
