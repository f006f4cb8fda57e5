import { isAbsolute } from 'node:path';
import type { HostEnvironment } from '../host-environment.ts';
import * as kinds from '../kinds.ts';
import { setting } from './option.ts';

/** The options about which part of the source is shown, and where its content is stored. */
export const treeOptions = {
  include: setting({
    group: 'tree',
    kind: kinds.list('GLOB', 'patterns as in .gitignore', /^[^\0\n]+$/),
    help: 'Show only files that match; patterns as in .gitignore, on the path below the prefix',
    default: [],
    described: 'everything',
  }),
  exclude: setting({
    group: 'tree',
    kind: kinds.list('GLOB', 'patterns as in .gitignore', /^[^\0\n]+$/),
    help: 'Do not show files that match, even if --include matches them, too',
    default: [],
    described: 'nothing',
  }),
  executable: setting({
    group: 'tree',
    kind: kinds.list('GLOB', 'patterns as in .gitignore', /^[^\0\n]+$/),
    help: 'Give files that match the execute bits, before --umask',
    default: [],
    described: 'none',
  }),
  'cache-dir': setting({
    group: 'cache',
    kind: kinds.path('DIRECTORY'),
    help: 'Directory for cached content on the local disk',
    default: defaultCacheDirectory,
    described:
      '/var/cache/dagmount as root, else $XDG_CACHE_HOME/dagmount; without a home /tmp/dagmount-cache-<uid>',
  }),
  'cache-size': setting({
    group: 'cache',
    kind: kinds.size({ min: '1MiB' }),
    help: 'Maximum size of the cached content',
    default: '2GiB',
  }),
} as const;

function defaultCacheDirectory({ uid, env, home }: HostEnvironment): string {
  if (uid === 0) return '/var/cache/dagmount';
  const given = env.XDG_CACHE_HOME ?? '';
  // The XDG specification says that relative paths must be ignored.
  if (isAbsolute(given)) return `${given}/dagmount`;
  return home === undefined ? `/tmp/dagmount-cache-${uid}` : `${home}/.cache/dagmount`;
}
