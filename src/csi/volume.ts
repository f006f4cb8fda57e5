import { createHash } from 'node:crypto';
import { ConfigError } from '../config/config-error.ts';
import { nearest } from '../config/nearest.ts';
import { parseS3Address } from '../config/s3-address.ts';
import { type DriverConfig, type MountOption, withoutSlash } from './driver-config.ts';
import { VolumeError } from './volume-error.ts';

/** What a volume asks for. Volumes with equal requests share one mount. */
export interface MountRequest {
  /** Names the mount: 16 hexadecimal digits, the same for the same request. */
  readonly key: string;
  /** `s3://BUCKET/PREFIX/` */
  readonly source: string;
  readonly options: readonly MountOption[];
  /** Whose credentials the mount uses; undefined if it uses the driver's own credentials. */
  readonly identity: WebIdentity | undefined;
}

/** A pod's own identity: its service account, and the role that it assumes. */
export interface WebIdentity {
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly role: string;
}

/** kubelet's token for a pod's service account. */
export interface Token {
  readonly token: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** The attributes that authors of pods may write. Any value may be hostile. */
const ATTRIBUTES = [
  'source',
  'ref',
  'versions',
  'include',
  'exclude',
  'region',
  'endpoint',
  'profile',
  'role',
] as const;
type Attribute = (typeof ATTRIBUTES)[number];

/**
 * The prefix of the attributes that kubelet adds (podInfoOnMount, tokenRequests). kubelet overwrites
 * attributes of these names that an author wrote.
 */
const OF_KUBELET = 'csi.storage.k8s.io/';
const TOKENS = `${OF_KUBELET}serviceAccount.tokens`;
/** The audience of a token that AWS accepts. */
const AUDIENCE = 'sts.amazonaws.com';
const LONGEST_VALUE = 4_096;
const MOST_PATTERNS = 64;
/**
 * The maximum number of wildcards in a pattern. Each further one can multiply the matching time by the bytes
 * of a name.
 */
const MOST_WILDCARDS = 6;
const DEFAULT_PROFILE = 'default';
/** Options of a profile that select the credentials. */
const CREDENTIALS: readonly string[] = ['profile', 'no-sign-request'];
const HINT = `Allowed in volumeAttributes: ${ATTRIBUTES.join(', ')}.`;

export type VolumeContext = Readonly<Record<string, string>>;

/** Returns what a volume asks for, checked against the configuration of the node. Throws VolumeError. */
export function mountRequestOf(context: VolumeContext, config: DriverConfig): MountRequest {
  const attributes = attributesOf(context);
  const source = sourceOf(attributes.get('source'), config);
  const profile = profileOf(attributes.get('profile'), config);
  const options = [...profile, ...optionsOf(attributes, config)];
  const identity = identityOf(context, attributes.get('role'));
  if (identity !== undefined && profile.some(({ name }) => CREDENTIALS.includes(name))) {
    throw new VolumeError(
      'malformed',
      'The volume names a role, and the profile of the node decides about credentials itself.',
      'Use a profile without the options profile and no-sign-request, or no role.',
    );
  }
  const words = [source, ...options.map(({ name, values }) => [name, ...values]), identity ?? null];
  const key = createHash('sha256').update(JSON.stringify(words)).digest('hex').slice(0, 16);
  return { key, source, options, identity };
}

/** Returns the uid of the volume's pod, as kubelet reports it; '' if kubelet does not. */
export function podUidOf(context: VolumeContext): string {
  return context[`${OF_KUBELET}pod.uid`] ?? '';
}

/** Returns the attributes that the author of the pod wrote, in a fixed order. */
export function authoredAttributes(context: VolumeContext): VolumeContext {
  const authored = Object.entries(context).filter(([name]) => !name.startsWith(OF_KUBELET));
  return Object.fromEntries(authored.sort(([one], [other]) => (one < other ? -1 : 1)));
}

/**
 * Returns the token that kubelet sends for AWS; undefined if there is none. Throws VolumeError if it is no
 * JSON.
 */
export function tokenOf(context: VolumeContext, secrets: VolumeContext): Token | undefined {
  const text = secrets[TOKENS] ?? context[TOKENS];
  if (text === undefined || text === '') return undefined;
  let tokens: unknown;
  try {
    tokens = JSON.parse(text);
  } catch (error) {
    throw new VolumeError('malformed', `${TOKENS} is no JSON.`, 'It is kubelet that writes it.', error);
  }
  const { token, expirationTimestamp } = ((tokens as Record<string, unknown> | null)?.[AUDIENCE] ?? {}) as {
    readonly token?: unknown;
    readonly expirationTimestamp?: unknown;
  };
  if (typeof token !== 'string' || token === '') return undefined;
  const expiresAt = Date.parse(String(expirationTimestamp));
  return { token, expiresAt: Number.isNaN(expiresAt) ? 0 : expiresAt };
}

function attributesOf(context: VolumeContext): ReadonlyMap<Attribute, string> {
  const attributes = new Map<Attribute, string>();
  for (const [name, value] of Object.entries(context)) {
    if (name.startsWith(OF_KUBELET)) continue;
    if (!isAttribute(name)) {
      const meant = nearest(name, ATTRIBUTES);
      const hint = meant === undefined ? HINT : `Did you mean ${meant}? ${HINT}`;
      throw new VolumeError('malformed', `The volume has an attribute ${JSON.stringify(name)}.`, hint);
    }
    if (value.length > LONGEST_VALUE || /\p{Cc}/u.test(value)) {
      throw new VolumeError(
        'malformed',
        `The attribute ${name} is too long or has control characters.`,
        HINT,
      );
    }
    if (value !== '') attributes.set(name, value);
  }
  return attributes;
}

function isAttribute(name: string): name is Attribute {
  return (ATTRIBUTES as readonly string[]).includes(name);
}

function sourceOf(address: string | undefined, { sources }: DriverConfig): string {
  if (address === undefined) {
    throw new VolumeError(
      'malformed',
      'The volume has no source.',
      'Set volumeAttributes.source to s3://BUCKET/PREFIX.',
    );
  }
  try {
    const { source, prefix } = parseS3Address(address);
    // A proxy in front of a store may resolve dot components to another folder, or to another bucket.
    if (prefix.split('/').some((part) => part === '.' || part === '..')) {
      throw new VolumeError('malformed', `The source ${source} has a dot component.`, 'Write it without.');
    }
    if (sources.allows(source)) return source;
    throw new VolumeError(
      'not-allowed',
      `The source ${source} is not allowed on this node.`,
      'The operator of the cluster can add it to the list of allowed sources of the driver.',
    );
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new VolumeError('malformed', error.message, error.hint, error);
  }
}

function profileOf(name: string | undefined, { profiles }: DriverConfig): readonly MountOption[] {
  const options = profiles.get(name ?? DEFAULT_PROFILE);
  if (options !== undefined) return options;
  if (name === undefined) return [];
  throw new VolumeError(
    'not-allowed',
    `There is no profile ${JSON.stringify(name)} on this node.`,
    `Allowed: ${[...profiles.keys()].join(', ') || 'none'}.`,
  );
}

function optionsOf(
  attributes: ReadonlyMap<Attribute, string>,
  { endpoints }: DriverConfig,
): readonly MountOption[] {
  const options: MountOption[] = [];
  const single = (name: string, attribute: Attribute): void => {
    const value = attributes.get(attribute);
    if (value !== undefined) options.push({ name, values: [value] });
  };
  const endpoint = attributes.get('endpoint');
  if (endpoint !== undefined && !endpoints.has(withoutSlash(endpoint))) {
    throw new VolumeError(
      'not-allowed',
      `The endpoint ${JSON.stringify(endpoint)} is not allowed on this node.`,
      'The operator of the cluster can add it to the endpoints of the driver.',
    );
  }
  single('endpoint-url', 'endpoint');
  single('region', 'region');
  single('ref', 'ref');
  const versions = attributes.get('versions') ?? 'false';
  if (versions !== 'true' && versions !== 'false') {
    throw new VolumeError('malformed', 'The attribute versions is neither true nor false.', HINT);
  }
  if (versions === 'true') options.push({ name: 'versions', values: ['true'] });
  for (const name of ['include', 'exclude'] as const) {
    const values = (attributes.get(name) ?? '').split(',').map((each) => each.trim());
    const given = values.filter((each) => each !== '');
    requireCheap(name, given);
    if (given.length > 0) options.push({ name, values: given });
  }
  return options;
}

/**
 * Refuses too many patterns, and patterns of many wildcards: one such pattern can keep a mount busy for hours
 * with one long name.
 */
function requireCheap(name: Attribute, patterns: readonly string[]): void {
  const isCheap = (pattern: string): boolean => (pattern.match(/\*+|\?|\[/g) ?? []).length <= MOST_WILDCARDS;
  if (patterns.length <= MOST_PATTERNS && patterns.every(isCheap)) return;
  throw new VolumeError(
    'malformed',
    `The attribute ${name} has too many patterns, or one with too many wildcards.`,
    `Allowed: ${MOST_PATTERNS} patterns, each with ${MOST_WILDCARDS} wildcards.`,
  );
}

function identityOf(context: VolumeContext, role: string | undefined): WebIdentity | undefined {
  if (role === undefined) return undefined;
  const namespace = context[`${OF_KUBELET}pod.namespace`] ?? '';
  const serviceAccount = context[`${OF_KUBELET}serviceAccount.name`] ?? '';
  if (namespace === '' || serviceAccount === '') {
    throw new VolumeError(
      'no-token',
      'The volume names a role, and kubelet does not say of which service account the pod is.',
      'Set podInfoOnMount in the CSIDriver object.',
    );
  }
  return { namespace, serviceAccount, role };
}
