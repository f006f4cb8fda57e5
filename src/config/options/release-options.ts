import { isAbsolute } from 'node:path';
import type { HostEnvironment } from '../host-environment.ts';
import * as kinds from '../kinds.ts';
import { optional, setting } from './option.ts';

/** The options about which release is shown, and which earlier releases beside it. */
export const releaseOptions = {
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
    help: 'Show only releases that a key of this file has signed; the file has the format of allowed signers of OpenSSH, and dagmount reads it again at each poll',
    described: 'none: no signature is required',
  }),
  'min-seq': setting({
    group: 'release',
    kind: kinds.integer(0, 9_999_999_999),
    help: 'Hold every step of the environment with a lower number',
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
    help: 'Show the tree in current/. Each release that the environment has had appears in versions/ID when a process looks it up',
    default: 'false',
    described: 'off',
  }),
  'keep-versions': setting({
    group: 'release',
    kind: kinds.integer(0, 64),
    help: 'Number of most recently used versions that stay, however long ago their last use was',
    default: '5',
  }),
  'version-idle': setting({
    group: 'release',
    kind: kinds.duration({ min: '1s', max: '8760h' }),
    help: 'How long any other version stays after its last use',
    default: '6h',
  }),
} as const;

function defaultStateDirectory({ uid, env, home }: HostEnvironment): string {
  if (uid === 0) return '/var/lib/dagmount';
  const given = env.XDG_STATE_HOME ?? '';
  if (isAbsolute(given)) return `${given}/dagmount`;
  return home === undefined ? `/tmp/dagmount-state-${uid}` : `${home}/.local/state/dagmount`;
}
