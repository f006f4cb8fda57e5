import { isAbsolute } from 'node:path';
import { ConfigError } from '../config/config-error.ts';
import { parseDuration } from '../config/measures.ts';
import { readNamedFile } from '../config/named-file.ts';
import { isFileKey } from '../config/options/options.ts';
import { yaml } from '../config/yaml.ts';
import { AllowList } from './allow-list.ts';

/** The driver's configuration: what the operator of a node lets volumes show, and how. */
export interface DriverConfig {
  readonly sources: AllowList;
  /** Endpoints that a volume may name. */
  readonly endpoints: ReadonlySet<string>;
  /**
   * The options of `dagmount mount` by the name of their profile. A volume that names no profile has the
   * profile `default`, if there is one.
   */
  readonly profiles: ReadonlyMap<string, readonly MountOption[]>;
  /** How long the publish of a volume waits for the tree, milliseconds. */
  readonly deadlineMs: number;
  /** How long a mount stays without a volume that uses it, milliseconds. */
  readonly idleMs: number;
  /** Maximum number of mounts at a time. */
  readonly mostMounts: number;
  readonly stateDirectory: string;
  /** The directory that contains the cache of each mount. */
  readonly cacheDirectory: string;
  /** The socket of the holder, which keeps the mounts while no driver runs (docs/takeover.md). */
  readonly holder: string;
}

export interface MountOption {
  readonly name: string;
  readonly values: readonly string[];
}

/** The maximum number of mounts that a holder keeps: the same limit as in native/holder. */
const HOLDER_MOUNTS = 128;
const DAY_MS = 24 * 3_600_000;
/** The longest deadline of a publish: kubelet ends a call after two minutes. */
const LONGEST_PUBLISH_MS = 110_000;
const HINT = 'See docs/csi.md for what the file holds.';
/**
 * Options that no profile may have: those that the driver sets itself for each mount, and addresses where
 * only one mount of a node could listen.
 */
const OWN_OPTIONS: ReadonlySet<string> = new Set([
  'socket',
  'cache-dir',
  'daemon',
  'allow-other',
  'log-format',
  'print-config',
  'wait-for-store',
  'metrics-listen',
  'webhook-listen',
]);

const KEYS = [
  'allow',
  'endpoints',
  'profiles',
  'deadline',
  'idle',
  'mounts',
  'state-dir',
  'cache-dir',
  'hold',
] as const;
type Key = (typeof KEYS)[number];

/** Throws ConfigError. */
export function readDriverConfig(file: string): DriverConfig {
  return parseDriverConfig(readNamedFile(file, 'The configuration file', HINT), file);
}

/** Throws ConfigError. */
export function parseDriverConfig(text: string, file: string): DriverConfig {
  const { parseDocument } = yaml();
  // The schema `failsafe` keeps all scalars as texts, as they are written.
  const document = parseDocument(text, { schema: 'failsafe', prettyErrors: false });
  const [error] = document.errors;
  if (error !== undefined) throw unparsable(file, error.message.split('\n', 1)[0] ?? '', error);
  const written = mapping(document.toJS() ?? {}, file, 'the file');
  for (const key of Object.keys(written)) {
    if (!(KEYS as readonly string[]).includes(key)) {
      throw new ConfigError(
        'unknown-key',
        `${file} sets ${key}, which is no key of it.`,
        `Allowed: ${KEYS.join(', ')}.`,
      );
    }
  }
  const of = (key: Key): unknown => written[key];
  return {
    sources: new AllowList(list(of('allow') ?? [], file, 'allow')),
    endpoints: new Set(list(of('endpoints') ?? [], file, 'endpoints').map(withoutSlash)),
    profiles: profiles(of('profiles') ?? {}, file),
    deadlineMs: duration(of('deadline') ?? '60s', file, 'deadline', {
      most: LONGEST_PUBLISH_MS,
      allowed: '1s to 110s',
    }),
    idleMs: duration(of('idle') ?? '10m', file, 'idle', { most: DAY_MS, allowed: '1s to 24h' }),
    mostMounts: count(of('mounts') ?? '32', file, 'mounts'),
    stateDirectory: path(of('state-dir') ?? '/var/lib/dagmount/csi', file, 'state-dir'),
    cacheDirectory: path(of('cache-dir') ?? '/var/cache/dagmount/csi', file, 'cache-dir'),
    holder: path(of('hold') ?? '/run/dagmount-hold/hold.sock', file, 'hold'),
  };
}

export function withoutSlash(endpoint: string): string {
  return endpoint.replace(/\/+$/, '');
}

function profiles(value: unknown, file: string): ReadonlyMap<string, readonly MountOption[]> {
  return new Map(
    Object.entries(mapping(value, file, 'profiles')).map(([profile, options]) => {
      const named = Object.entries(mapping(options, file, `profile ${profile}`));
      return [profile, named.map(([name, values]) => mountOption(name, values, file, profile))];
    }),
  );
}

function mountOption(name: string, value: unknown, file: string, profile: string): MountOption {
  if (!isFileKey(name) || OWN_OPTIONS.has(name)) {
    throw new ConfigError(
      'unknown-key',
      `${file} sets ${name} in the profile ${profile}, which no volume can have.`,
      'dagmount help mount lists all options.',
    );
  }
  return { name, values: typeof value === 'string' ? [value] : list(value, file, `${name} of ${profile}`) };
}

function duration(
  value: unknown,
  file: string,
  key: Key,
  { most, allowed }: { readonly most: number; readonly allowed: string },
): number {
  const milliseconds = parseDuration(String(value));
  if (milliseconds !== undefined && milliseconds >= 1_000 && milliseconds <= most) return milliseconds;
  throw bad(file, key, `a duration such as 60s, from ${allowed}`);
}

function count(value: unknown, file: string, key: Key): number {
  const number = /^[1-9]\d{0,2}$/.test(String(value)) ? Number(value) : Number.NaN;
  if (number <= HOLDER_MOUNTS) return number;
  throw bad(file, key, `a number from 1 to ${HOLDER_MOUNTS}`);
}

function path(value: unknown, file: string, key: Key): string {
  if (typeof value !== 'string' || !isAbsolute(value)) throw bad(file, key, 'an absolute path');
  return value;
}

function mapping(value: unknown, file: string, what: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw unparsable(file, `${what} is not a mapping`);
}

function list(value: unknown, file: string, what: string): readonly string[] {
  if (Array.isArray(value) && value.every((each) => typeof each === 'string')) return value;
  throw unparsable(file, `${what} is not a list of texts`);
}

function bad(file: string, key: Key, allowed: string): ConfigError {
  return new ConfigError('bad-value', `${file} has a wrong value for ${key}.`, `Allowed: ${allowed}.`);
}

function unparsable(file: string, reason: string, cause?: unknown): ConfigError {
  return new ConfigError(
    'unparsable-file',
    `The configuration file ${file} is malformed: ${reason}.`,
    HINT,
    cause,
  );
}
