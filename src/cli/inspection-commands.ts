import { cacheActions } from './client/cache-actions.ts';
import { json, timeout, tree, which, whichOne } from './client-flags.ts';
import type { CommandSpec } from './command-spec.ts';

/** The commands that inspect or watch the tree and the cache of a running daemon. */
export const inspectionCommands = [
  {
    name: 'ls',
    aliases: [],
    usage: '[PATH] [--json]',
    summary: 'list the tree, and which files are cached',
    description: [
      'Lists the tree below PATH, or the whole tree, recursively and in byte order of the paths: size, date, and whether the content is on the local disk. PATH is relative to the prefix; an absolute path below the mount point or an s3:// address works, too.',
    ],
    flags: [...which, tree, json],
    argument: 'tree-path',
    examples: [
      { command: 'dagmount ls team_a', does: 'list one directory' },
      {
        command: "dagmount ls --json | jq -r '.items[] | select(.cached == false).path'",
        does: 'list the files that a read would have to fetch',
      },
    ],
    load: () => import('./client/ls.ts'),
  },
  {
    name: 'why',
    aliases: [],
    usage: 'PATH [--json]',
    summary: 'explain one path: where it comes from, since when, or why it is not there',
    description: [
      'Names the key and the version that a path comes from, since when and since which generation readers see it, and whether its content is on the local disk. If the path is not in the tree, the command prints why (never seen in a listing, excluded and by which pattern, left out and for which reason, or in a listing that is held back), and exits with 66.',
      'PATH is relative to the prefix. An absolute path below the mount point, an s3:// address, or a whole key as dagmount problems shows it works, too.',
    ],
    flags: [...which, tree, json],
    argument: 'tree-path',
    examples: [
      { command: 'dagmount why etl.py', does: 'show which version readers see, and since when' },
      { command: 'dagmount why /opt/airflow/dags/etl.py', does: 'show the same by the path in the mount' },
    ],
    load: () => import('./client/why.ts'),
  },
  {
    name: 'cache',
    aliases: [],
    usage: `${cacheActions.slice(0, 2).join('|')}|verify | evict|pin|unpin|prefetch PATH…`,
    summary: 'show the cache, and choose what it keeps',
    description: [
      'stats: shows size, hits and evictions. ls: lists the blobs, the most recently used first. verify: reads the whole cache and removes damaged blobs.',
      'evict: removes the content of paths from the cache; the next read fetches it again. pin: keeps the content of paths in the cache until unpin. prefetch: fetches the content of paths now, and waits for it. A directory means all files in it, . means the whole tree.',
    ],
    flags: [{ ...timeout, help: 'How long prefetch waits; 60s unless given' }, ...which, tree, json],
    argument: 'cache-action',
    examples: [
      { command: 'dagmount cache stats', does: 'check whether the cache is large enough' },
      {
        command: 'dagmount cache prefetch models && dagmount cache pin models',
        does: 'keep these files local, so that reads do not wait',
      },
    ],
    load: () => import('./client/cache.ts'),
  },
  {
    name: 'events',
    aliases: [],
    usage: '[--after ID] [--json]',
    summary: 'print what happens, as it happens, until Ctrl-C',
    description: [
      'From now on, prints a line for every publication, every listing that is held back, every failure of the store and its end, every failure of the cache, and every restart; with --json one object a line. If the daemon goes away, the command waits up to a minute for it, and then prints the missed events that the daemon still has.',
    ],
    flags: [
      {
        name: 'after',
        help: 'Also print the past events after this one that the daemon still has; --json shows the ids',
        placeholder: 'ID',
      },
      ...whichOne,
      { ...json, help: 'Print one JSON object a line' },
    ],
    argument: 'nothing',
    examples: [
      {
        command: 'dagmount events --json | jq -c \'select(.type == "held")\'',
        does: 'print only held trees, which need a decision',
      },
    ],
    load: () => import('./client/events.ts'),
  },
  {
    name: 'top',
    aliases: [],
    usage: '[--mount MOUNTPOINT | --socket PATH]',
    summary: 'watch a mount on the whole screen, until q or Ctrl-C',
    description: [
      'Shows once a second: the published tree and its age, the requests of the kernel and how long they take, how many of them the cache answers, the requests to the store and their failures, and the last changes. Reads that the kernel answers from its own cache do not reach dagmount and are not counted. Needs a terminal.',
    ],
    flags: [...whichOne, tree],
    argument: 'nothing',
    examples: [{ command: 'dagmount top', does: 'watch while a deploy arrives' }],
    load: () => import('./top/top.ts'),
  },
  {
    name: 'metrics',
    aliases: [],
    usage: '[--json]',
    summary: "print the metrics in Prometheus' text format",
    description: [
      'Prints what a scrape would return, even if --metrics-listen is off. With --json: {"samples": [{"name", "labels", "value"}]}.',
    ],
    flags: [...which, json],
    argument: 'nothing',
    examples: [{ command: 'dagmount metrics | grep ^dagmount_source', does: 'the metrics of the source' }],
    load: () => import('./client/metrics.ts'),
  },
  {
    name: 'log-level',
    aliases: [],
    usage: 'error|warn|info|debug|trace',
    summary: 'change how much the daemon logs, until it ends',
    description: ['Changes the log level of a running daemon, and prints the previous level.'],
    flags: [...which, json],
    argument: 'log-level',
    examples: [{ command: 'dagmount log-level debug', does: 'log more while something is wrong' }],
    load: () => import('./client/log-level.ts'),
  },
] as const satisfies readonly CommandSpec[];
