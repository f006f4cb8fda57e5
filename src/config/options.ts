import { isAbsolute } from 'node:path';
import * as aws from './aws-settings.ts';
import type { HostEnvironment } from './host-environment.ts';
import * as kinds from './kinds.ts';
import { type Option, optional, setting } from './option.ts';

/**
 * Every option of `mount`, declared once: flags, environment, file, defaults, help, --print-config, completion and the
 * fields of MountConfig derive from this table, in this order.
 */
export const schema = {
  'endpoint-url': optional({
    group: 'store',
    kind: kinds.endpoint(),
    help: "The store's address, where it is not AWS's own. Path-style addressing is then the default",
    described: "AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, the profile's, else AWS's own",
    variables: ['AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL'],
    inProfile: aws.endpointOf,
    unless: aws.ignoresEndpoints,
  }),
  region: optional({
    group: 'store',
    kind: kinds.text('REGION', 'the name of a region, such as eu-central-1', /^[A-Za-z0-9][A-Za-z0-9._-]*$/),
    help: 'The region of the bucket',
    described: "AWS_REGION, AWS_DEFAULT_REGION, the profile's, else us-east-1",
    variables: ['AWS_REGION', 'AWS_DEFAULT_REGION'],
    inProfile: (profile) => profile.value('region'),
  }),
  // Has a value only if it was named to dagmount itself: the SDK reads AWS_PROFILE.
  profile: optional({
    group: 'store',
    kind: kinds.text('NAME', "the name of a profile in AWS's own files", /^[^\p{Cc}]+$/u),
    help: "The profile of AWS's own files that credentials, region, endpoint and the like come from",
    described: 'AWS_PROFILE, AWS_DEFAULT_PROFILE, else default',
  }),
  'force-path-style': optional({
    group: 'store',
    kind: kinds.toggle(),
    help: 'Name the bucket in the path and not in the host',
    described: "the profile's addressing_style, else on where the endpoint is outside amazonaws.com",
    inProfile: aws.pathStyleOf,
  }),
  'no-sign-request': setting({
    group: 'store',
    kind: kinds.toggle(),
    help: 'Send requests without credentials, to a public bucket',
    default: 'false',
    described: 'off',
  }),
  'request-payer': setting({
    group: 'store',
    kind: kinds.toggle(),
    help: 'Agree to pay for the requests to a bucket whose owner demands it',
    default: 'false',
    described: 'off',
  }),
  'ca-file': optional({
    group: 'store',
    kind: kinds.path('FILE'),
    help: 'Certificates (PEM) to trust for connections to the store',
    described: "AWS_CA_BUNDLE, the profile's ca_bundle, else the system's",
    inProfile: (profile) => profile.value('ca_bundle'),
    // Read with the connections' other settings, and before this one.
    unless: ({ env }) => (env.AWS_CA_BUNDLE ?? '') !== '',
  }),
  concurrency: setting({
    group: 'store',
    kind: kinds.integer(1, 1024),
    help: 'Maximum number of requests to the store at a time',
    default: '32',
  }),
  'read-deadline': setting({
    group: 'store',
    kind: kinds.duration({ min: '100ms', max: '10m' }),
    help: 'How long a read of content that is not local waits for the store before it fails',
    default: '10s',
  }),
  'wait-for-store': setting({
    group: 'store',
    kind: kinds.duration({ max: '24h' }),
    help: 'How long a start without a kept tree waits for the store; 0 does not wait',
    default: '0',
  }),
  ref: optional({
    group: 'release',
    kind: kinds.text(
      'ENVIRONMENT',
      '1 to 63 lower-case letters, digits, dots, hyphens and underscores, with a letter or a digit first',
      /^[a-z0-9][a-z0-9._-]{0,62}$/,
    ),
    help: 'Show the release that this environment points to; the address is the release root',
    described: 'none: the objects below the prefix are shown',
  }),
  'release-root': optional({
    group: 'release',
    kind: kinds.text('NAME', 'the name of a release root', /^[^\p{Cc}]{1,1024}$/u),
    help: 'The name of the release root, if the address is that of a replica',
    described: 'the address, without the slash at its end',
  }),
  'allowed-signers': optional({
    group: 'release',
    kind: kinds.path('FILE'),
    help: 'Show only releases that a key of this file has signed; the file has the format of allowed signers of OpenSSH, and is read again at each poll',
    described: 'none: nobody is asked for a signature',
  }),
  'min-seq': setting({
    group: 'release',
    kind: kinds.integer(0, 9_999_999_999),
    help: 'Hold every step of the environment whose number is lower',
    default: '0',
  }),
  'state-dir': setting({
    group: 'release',
    kind: kinds.path('DIRECTORY'),
    help: 'Directory for the newest step that this node has seen; it outlives the cache directory',
    default: defaultStateDirectory,
    described:
      '/var/lib/dagmount as root, else $XDG_STATE_HOME/dagmount; without a home /tmp/dagmount-state-<uid>',
  }),
  versions: setting({
    group: 'release',
    kind: kinds.toggle(),
    help: 'Show the tree in current/, and each release that the environment has had in versions/ID, when it is looked up',
    default: 'false',
    described: 'off',
  }),
  'keep-versions': setting({
    group: 'release',
    kind: kinds.integer(0, 64),
    help: 'How many versions, those used last, stay however long ago that was',
    default: '5',
  }),
  'version-idle': setting({
    group: 'release',
    kind: kinds.duration({ min: '1s', max: '8760h' }),
    help: 'How long after its last use any other version stays',
    default: '6h',
  }),
  'poll-interval': setting({
    group: 'publication',
    kind: kinds.duration({ min: '250ms', max: '24h' }),
    help: 'Time between two polls, varied at random by up to a tenth',
    default: '10s',
  }),
  settle: setting({
    group: 'publication',
    kind: kinds.duration({ max: '10m' }),
    help: 'How long the listing must be unchanged before a change is shown, so that a deploy arrives as one; 0 is off',
    default: '1s',
  }),
  'unreadable-wait': setting({
    group: 'publication',
    kind: kinds.duration({ max: '1h' }),
    help: 'How long a tree waits for an object that the store does not give, before that file is shown with EIO; 0 does not wait',
    default: '60s',
  }),
  'watch-key': optional({
    group: 'publication',
    kind: kinds.text(
      'KEY',
      'a key below the prefix, as a path: no slash at its beginning or end, no empty component, no . or ..',
      /^(?!s3:\/\/)(?!\.{1,2}(?:\/|$))[^\0\n/]+(?:\/(?!\.{1,2}(?:\/|$))[^\0\n/]+)*$/,
    ),
    help: 'Poll this object instead of the listing; list only when it has changed, and every 10 minutes',
    described: 'none',
  }),
  prefetch: setting({
    group: 'publication',
    kind: kinds.size({}, { all: Number.POSITIVE_INFINITY }),
    help: 'Fetch files up to this size before they are shown; 0 fetches none',
    default: '8MiB',
  }),
  'max-delete': setting({
    group: 'publication',
    kind: kinds.percent(),
    help: 'Hold a listing that loses more than this share of the files; 100% never holds one',
    default: '50%',
  }),
  'allow-empty': setting({
    group: 'publication',
    kind: kinds.toggle(),
    help: 'Accept a prefix without objects, at the start and later',
    default: 'false',
    described: 'off',
  }),
  include: setting({
    group: 'tree',
    kind: kinds.list('GLOB', 'patterns as in .gitignore', /^[^\0\n]+$/),
    help: 'Show only what matches, as in .gitignore, on the path below the prefix',
    default: [],
    described: 'everything',
  }),
  exclude: setting({
    group: 'tree',
    kind: kinds.list('GLOB', 'patterns as in .gitignore', /^[^\0\n]+$/),
    help: 'Do not show what matches, even if it is included',
    default: [],
    described: 'nothing',
  }),
  executable: setting({
    group: 'tree',
    kind: kinds.list('GLOB', 'patterns as in .gitignore', /^[^\0\n]+$/),
    help: 'Files that match have the execute bits, before --umask',
    default: [],
    described: 'none',
  }),
  'cache-dir': setting({
    group: 'cache',
    kind: kinds.path('DIRECTORY'),
    help: 'Where content is kept on the local disk',
    default: defaultCacheDirectory,
    described:
      '/var/cache/dagmount as root, else $XDG_CACHE_HOME/dagmount; without a home /tmp/dagmount-cache-<uid>',
  }),
  'cache-size': setting({
    group: 'cache',
    kind: kinds.size({ min: '1MiB' }),
    help: 'Most content that is kept there',
    default: '2GiB',
  }),
  uid: setting({
    group: 'mount',
    kind: kinds.owner('UID', 'id -u'),
    help: 'Owner of every file',
    default: ({ uid }) => String(uid),
    described: "the caller's",
  }),
  gid: setting({
    group: 'mount',
    kind: kinds.owner('GID', 'id -g'),
    help: 'Group of every file',
    default: ({ gid }) => String(gid),
    described: "the caller's",
  }),
  umask: setting({
    group: 'mount',
    kind: kinds.mode(),
    help: 'Permission bits that files and directories do not have',
    default: '0222',
  }),
  'allow-other': setting({
    group: 'mount',
    kind: kinds.toggle(),
    help: 'Let other users read the mount; without root this needs user_allow_other in /etc/fuse.conf',
    default: ({ uid }) => String(uid === 0),
    described: 'on as root',
  }),
  'takeover-deadline': setting({
    group: 'mount',
    kind: kinds.duration({ min: '1s', max: '24h' }),
    help: 'How long readers wait for a new server after one has died; then their calls fail and the mount is replaced',
    default: '60s',
  }),
  'no-standby': setting({
    group: 'mount',
    kind: kinds.toggle(),
    help: 'Keep no standby server: saves some 60 MiB, and readers wait longer when the server dies',
    default: 'false',
    described: 'off',
  }),
  driver: setting({
    group: 'mount',
    kind: kinds.choice(['auto', 'kernel', 'fuse-native']),
    help: 'Driver for the FUSE protocol of the kernel; auto takes kernel, or fuse-native with a warning if kernel cannot be used',
    default: 'auto',
  }),
  socket: optional({
    group: 'control',
    kind: kinds.path('FILE'),
    help: 'Path of the control socket, which status and similar commands ask',
    described:
      '/run/dagmount/<mount id>.sock as root, else in $XDG_RUNTIME_DIR/dagmount, else in /tmp/dagmount-<uid>',
  }),
  'socket-mode': setting({
    group: 'control',
    kind: kinds.socketMode(),
    help: 'Permission bits of the control socket',
    default: '0600',
  }),
  'socket-group': optional({
    group: 'control',
    kind: kinds.text('GROUP', 'the name or the number of a group', /^[A-Za-z0-9_][A-Za-z0-9_.@-]*\$?$/),
    help: 'Group of the control socket, for --socket-mode 0660',
    described: "the caller's",
  }),
  'metrics-listen': optional({
    group: 'control',
    kind: kinds.hostAndPort(),
    help: 'Offer /metrics, /healthz and /readyz, and nothing else, over TCP',
    described: 'off',
  }),
  daemon: setting({
    group: 'process',
    kind: kinds.toggle(),
    help: 'Return when the mount is ready, and serve it in the background',
    default: 'false',
    described: 'off',
  }),
  'log-level': setting({
    group: 'process',
    kind: kinds.choice(['error', 'warn', 'info', 'debug', 'trace']),
    help: 'Lowest level that is logged; debug adds stack traces to errors',
    default: 'info',
  }),
  'log-format': setting({
    group: 'process',
    kind: kinds.choice(['pretty', 'json']),
    help: 'Format of log lines: pretty for people, json for programs',
    default: ({ logsToTerminal }) => (logsToTerminal ? 'pretty' : 'json'),
    described: 'pretty on a terminal, else json',
  }),
  config: optional({
    group: 'process',
    kind: kinds.path('FILE'),
    help: 'A YAML file of these options, by their names without the dashes in front',
    described: 'none',
  }),
  'print-config': setting({
    group: 'process',
    kind: kinds.toggle(),
    help: 'Print the configuration and where each value came from, and exit',
    default: 'false',
    described: 'off',
  }),
} as const;

export type OptionName = keyof typeof schema;

export type OptionValues = {
  readonly [Name in OptionName]: (typeof schema)[Name] extends Option<infer T> ? T : never;
};

export const optionNames = Object.keys(schema) as readonly OptionName[];

/** The declaration of an option whose name is not known beforehand. */
export function optionOf(name: OptionName): Option<unknown> {
  return schema[name];
}

export function isOptionName(name: string): name is OptionName {
  return Object.hasOwn(schema, name);
}

/** The location of the file cannot be set in the file. */
export function isFileKey(name: string): name is OptionName {
  return isOptionName(name) && name !== 'config';
}

export function variableOf(name: string): string {
  return `DAGMOUNT_${name.replaceAll('-', '_').toUpperCase()}`;
}

/** What turns a switch off again as a flag: `--no-x`, and for one that is called no-x, as the AWS CLI has it, `--x`. */
export function negationOf(name: OptionName): string | undefined {
  if (optionOf(name).kind.placeholder !== undefined) return undefined;
  return name.startsWith('no-') ? name.slice('no-'.length) : `no-${name}`;
}

/** The switch that says the opposite of a name that is no option: `no-standby` for `standby`, `daemon` for `no-daemon`. */
export function oppositeOf(name: string): OptionName | undefined {
  return optionNames.find((each) => negationOf(each) === name);
}

function defaultStateDirectory({ uid, env, home }: HostEnvironment): string {
  if (uid === 0) return '/var/lib/dagmount';
  const given = env.XDG_STATE_HOME ?? '';
  if (isAbsolute(given)) return `${given}/dagmount`;
  return home === undefined ? `/tmp/dagmount-state-${uid}` : `${home}/.local/state/dagmount`;
}

function defaultCacheDirectory({ uid, env, home }: HostEnvironment): string {
  if (uid === 0) return '/var/cache/dagmount';
  const given = env.XDG_CACHE_HOME ?? '';
  // The specification of these variables has relative ones ignored.
  if (isAbsolute(given)) return `${given}/dagmount`;
  return home === undefined ? `/tmp/dagmount-cache-${uid}` : `${home}/.cache/dagmount`;
}
