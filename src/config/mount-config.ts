import type { Endpoints } from '../base/store-endpoints.ts';
import type { HostEnvironment } from './host-environment.ts';
import type { Unit } from './kinds.ts';
import type { Option } from './option.ts';
import { type OptionName, type OptionValues, optionNames, optionOf, type schema } from './options.ts';
import type { GivenOptions } from './origin.ts';
import { type ResolvedOption, resolveOptions } from './resolve.ts';
import { parseS3Address } from './s3-address.ts';
import { requireSensible } from './sensible-options.ts';
import { type StandbySetting, standbySettings } from './standby-sources.ts';

/** What a mount shows, and where. */
export interface MountPlace {
  /** `s3://BUCKET/PREFIX/` */
  readonly source: string;
  /** A bucket's name, an access point's alias or its ARN. */
  readonly bucket: string;
  /** Empty, or ending with a slash. */
  readonly prefix: string;
  /** Absolute path of the mount point. */
  readonly target: string;
}

/** Options that say how a mount is configured, and are no part of its configuration. */
const aboutConfiguration = ['config', 'print-config'] as const satisfies readonly OptionName[];
type MountOption = Exclude<OptionName, (typeof aboutConfiguration)[number]>;

/**
 * The options of the schema, by the names that {@link fieldOf} gives them: `read-deadline` is `readDeadlineMs`, `cache-size`
 * is `cacheSizeBytes`, and `no-standby` is `standby`, its opposite.
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
  /** In the order in which they are tried. */
  readonly standbys: readonly StandbySetting[];
}

export interface ResolvedConfig {
  readonly config: MountConfig;
  /** Every option with where its value came from, in the order of the schema. */
  readonly options: readonly ResolvedOption[];
  readonly printConfig: boolean;
}

/**
 * @param target absolute path, symbolic links followed
 * Throws ConfigError.
 */
export function resolveMountConfig(
  address: string,
  target: string,
  flags: GivenOptions,
  environment: HostEnvironment,
): ResolvedConfig {
  const { source, bucket, prefix } = parseS3Address(address);
  const { values, options } = resolveOptions(flags, environment);
  requireSensible(options);
  const { endpointUrl, ...told } = mountOptions(values);
  const endpoints: Endpoints = Object.freeze([endpointUrl] as const);
  const standbys = standbySettings(told);
  const config: MountConfig = { source, bucket, prefix, target, endpoints, standbys, ...told };
  return { config: Object.freeze(config), options, printConfig: values['print-config'] };
}

function mountOptions(values: OptionValues): MountOptions {
  const about: readonly OptionName[] = aboutConfiguration;
  const fields = optionNames
    .filter((name) => !about.includes(name))
    .map((name) => [fieldOf(name), isNegative(name) ? !values[name] : values[name]]);
  return Object.fromEntries(fields) as MountOptions;
}

/** The name that an option has in the configuration, as {@link MountOptions} has it for the compiler. */
export function fieldOf(name: OptionName): string {
  const affirmed = isNegative(name) ? name.slice('no-'.length) : name;
  const camelCase = affirmed.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
  return `${camelCase}${optionOf(name).kind.unit}`;
}

function isNegative(name: OptionName): boolean {
  return name.startsWith('no-');
}
