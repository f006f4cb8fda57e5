import type { Endpoint } from '../base/store-endpoints.ts';
import { ConfigError } from './config-error.ts';
import { parseS3Address, type S3Address } from './s3-address.ts';

/** A standby source: a place in another store that has the same objects as the mounted one. */
export interface StandbySetting extends S3Address {
  readonly endpoint: Endpoint;
  readonly region: string | undefined;
  readonly profile: string | undefined;
}

export interface StandbyOptions {
  readonly standbySource: readonly string[];
  readonly standbyEndpointUrl: readonly string[];
  readonly standbyRegion: readonly string[];
  readonly standbyProfile: readonly string[];
}

/** The text that stands for no value in a list with a value for each standby source. */
export const NONE = '-';

/**
 * Returns the standbys in the order in which they are tried. Throws ConfigError if an address is invalid, or
 * if the options have different numbers of values.
 */
export function standbySettings(options: StandbyOptions): readonly StandbySetting[] {
  const { standbySource: sources } = options;
  const of = (name: string, values: readonly string[], at: number): string | undefined => {
    if (values.length > 1 && values.length !== sources.length) throw unmatched(name, values, sources);
    if (values.length > 0 && sources.length === 0) throw unmatched(name, values, sources);
    const value = values.length === 1 ? values[0] : values[at];
    return value === NONE ? undefined : value;
  };
  const settingAt = (at: number, address: string): StandbySetting => ({
    ...parseS3Address(address),
    endpoint: of('--standby-endpoint-url', options.standbyEndpointUrl, at),
    region: of('--standby-region', options.standbyRegion, at),
    profile: of('--standby-profile', options.standbyProfile, at),
  });
  if (sources.length === 0) {
    for (const [name, values] of [
      ['--standby-endpoint-url', options.standbyEndpointUrl],
      ['--standby-region', options.standbyRegion],
      ['--standby-profile', options.standbyProfile],
    ] as const) {
      of(name, values, 0);
    }
  }
  return Object.freeze(sources.map((address, at) => settingAt(at, address)));
}

function unmatched(name: string, values: readonly string[], sources: readonly string[]): ConfigError {
  return new ConfigError(
    'bad-value',
    `${name} has ${values.length} values, and --standby-source has ${sources.length}.`,
    `Give one for all sources, or one for each of them, in the same order; ${NONE} stands for none.`,
  );
}
