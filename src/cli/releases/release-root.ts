import { type Flag, type FlagSpec, lastValue } from '../../config/command-line.ts';
import { ConfigError } from '../../config/config-error.ts';
import { flagSpecs, givenByFlags } from '../../config/from-flags.ts';
import { nearest } from '../../config/nearest.ts';
import { resolveOptions } from '../../config/resolve.ts';
import { parseS3Address, type S3Address } from '../../config/s3-address.ts';
import type { ReleaseRoot } from '../../deploy/open-root.ts';
import { requireEnvironment } from '../../release/index.ts';
import { STORE_OPTIONS } from '../options-by-command.ts';
import type { Shell } from '../shell.ts';
import type { Project } from './project-file.ts';

/** The flags of every command about releases. */
export const ROOT_FLAGS: readonly FlagSpec[] = [
  { name: 'to', takesValue: true },
  { name: 'root', takesValue: true },
  { name: 'json', takesValue: false },
  ...flagSpecs(STORE_OPTIONS),
];

/** Where releases are stored, from a flag, from DAGMOUNT_TO or from the project file. */
export interface RootAddress {
  /** The address of the root, `s3://BUCKET/ROOT/`. */
  readonly address: string;
  /** The name of the root, which is part of every signed step. */
  readonly root: string;
}

/**
 * Returns the release root of an environment. Without an environment, returns the root that the project names
 * for all environments. Throws ConfigError if no root is given, if the address is malformed, or if the
 * project does not list the environment; ReleaseError if the environment's name is invalid.
 */
export function rootAddress(
  flags: readonly Flag[],
  environment: string | undefined,
  project: Project | undefined,
  { environment: host }: Pick<Shell, 'environment'>,
): RootAddress {
  if (environment !== undefined) requireKnown(environment, project);
  const own = environment === undefined ? undefined : project?.environments?.get(environment);
  const { source } = givenAddress([
    ['--to', lastValue(flags, 'to')],
    ['DAGMOUNT_TO', host.env.DAGMOUNT_TO || undefined],
    [`${project?.file}`, own?.to ?? project?.to],
  ]);
  return {
    address: source,
    root: lastValue(flags, 'root') ?? own?.root ?? project?.root ?? source.replace(/\/$/, ''),
  };
}

/**
 * Parses the first address that is given. Throws ConfigError if none is given, or if the address is
 * malformed; the message then names the place of the address.
 */
function givenAddress(places: readonly (readonly [place: string, address: string | undefined])[]): S3Address {
  for (const [place, address] of places) {
    if (address === undefined) continue;
    try {
      return parseS3Address(address);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      throw new ConfigError(error.code, `${place}: ${error.message}`, error.hint, error);
    }
  }
  throw new ConfigError(
    'usage',
    'The release root is not known.',
    'Pass --to s3://BUCKET/ROOT, set DAGMOUNT_TO, or write "to: s3://BUCKET/ROOT" into dagmount.yaml.',
  );
}

/**
 * Refuses an environment that the project does not list, because a typing error would create a new
 * environment. Throws ConfigError; ReleaseError if the name is invalid.
 */
export function requireKnown(environment: string, project: Project | undefined): void {
  requireEnvironment(environment);
  const known = project?.environments;
  if (known === undefined || known.has(environment)) return;
  const meant = nearest(environment, known.keys());
  throw new ConfigError(
    'usage',
    `There is no environment ${environment} in ${project?.file}, which has ${[...known.keys()].join(', ')}.`,
    meant === undefined ? 'Name one of these, or add it there.' : `Did you mean ${meant}?`,
  );
}

/** Prepares access to the store, but sends no request. */
export async function openRoot(
  { address }: RootAddress,
  flags: readonly Flag[],
  shell: Shell,
): Promise<ReleaseRoot> {
  const { values } = resolveOptions(
    givenByFlags(flags.filter(({ name }) => isStoreFlag(name))),
    shell.environment,
  );
  const { bucket, prefix } = parseS3Address(address);
  const { openReleaseRoot } = await import('../../deploy/open-root.ts');
  const way = {
    bucket,
    prefix,
    endpoints: [values['endpoint-url']] as const,
    region: values.region,
    profile: values.profile,
    forcePathStyle: values['force-path-style'],
    signRequest: !values['no-sign-request'],
    requestPayer: values['request-payer'],
    caFile: values['ca-file'],
    concurrency: values.concurrency,
  };
  return openReleaseRoot(way, shell.environment.env, shell);
}

function isStoreFlag(name: string): boolean {
  return flagSpecs(STORE_OPTIONS).some((spec) => spec.name === name);
}
