import { cacheActions } from './client/cache-actions.ts';
import { json, timeout, tree, which, whichOne } from './client-flags.ts';
import type { CommandSpec } from './command-spec.ts';

/** The commands that inspect or watch the tree and the cache of a running daemon. */
export const inspectionCommands = [
  {
    name: 'ls',
    aliases: [],
    usage: '[PATH] [--json]',
    summary: 'list what the tree holds, and what of it is cached',
    description: [
      'Lists the tree below PATH, or all of it, all the way down and in the order of the bytes of the paths: size, date, and whether the content is on the local disk. PATH begins below the prefix; an absolute one below the mount point and an s3:// address work too.',
    ],
    flags: [...which, tree, json],
    argument: 'tree-path',
    examples: [
      { command: 'dagmount ls team_a', does: 'one directory' },
      {
        command: "dagmount ls --json | jq -r '.items[] | select(.cached == false).path'",
        does: 'what a read would have to fetch',
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
      'Names the key and the version that a path comes from, since when and since which generation readers see it, and whether its content is on the local disk. For what is not in the tree it prints why (never seen in a listing, excluded by which pattern, left out for which reason, or in a listing that is held back), and exits with 66.',
      'PATH begins below the prefix. An absolute one below the mount point, an s3:// address, and a whole key as dagmount problems shows it work too.',
    ],
    flags: [...which, tree, json],
    argument: 'tree-path',
    examples: [
      { command: 'dagmount why etl.py', does: 'which version readers see, and since when' },
      { command: 'dagmount why /opt/airflow/dags/etl.py', does: 'the same, by its path in the mount' },
    ],
    load: () => import('./client/why.ts'),
  },
  {
    name: 'cache',
    aliases: [],
    usage: `${cacheActions.slice(0, 2).join('|')}|verify | evict|pin|unpin|prefetch PATH…`,
    summary: 'show the cache, and choose what is kept in it',
    description: [
      'stats: shows size, hits and evictions. ls: lists the blobs, the last used first. verify: reads the whole cache and removes damaged blobs.',
      'evict: removes the content of paths; it is fetched again when it is read. pin: keeps their content in the cache until unpin. prefetch: fetches their content now, and waits for it. A directory means all files in it, . the whole tree.',
    ],
    flags: [{ ...timeout, help: 'How long prefetch waits; 60s unless given' }, ...which, tree, json],
    argument: 'cache-action',
    examples: [
      { command: 'dagmount cache stats', does: 'is it large enough?' },
      {
        command: 'dagmount cache prefetch models && dagmount cache pin models',
        does: 'never wait for these',
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
      'Prints a line for every publication, every listing that is held back, every fault of the store and its end, every fault of the cache and every restart, from now on; with --json one object a line. If the daemon goes away, the command waits for it for up to a minute, and then prints the events in between that the daemon still has.',
    ],
    flags: [
      {
        name: 'after',
        help: 'Begin behind this event, by its id in --json, as far as the daemon keeps them',
        placeholder: 'ID',
      },
      ...whichOne,
      { ...json, help: 'Print one JSON object a line' },
    ],
    argument: 'nothing',
    examples: [
      {
        command: 'dagmount events --json | jq -c \'select(.type == "held")\'',
        does: 'only what has to be decided',
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
      'Shows once a second what is published and how old it is, what the kernel asks and how long that takes, how much of it the cache answers, what is asked of the store and what fails, and the last changes. Reads that the kernel answers from its own cache do not reach dagmount and are not counted. Needs a terminal.',
    ],
    flags: [...whichOne, tree],
    argument: 'nothing',
    examples: [{ command: 'dagmount top', does: 'while a deploy arrives' }],
    load: () => import('./top/top.ts'),
  },
  {
    name: 'metrics',
    aliases: [],
    usage: '[--json]',
    summary: "print the metrics in Prometheus' text format",
    description: [
      'Prints what a scrape would see, also where --metrics-listen is off. With --json: {"samples": [{"name", "labels", "value"}]}.',
    ],
    flags: [...which, json],
    argument: 'nothing',
    examples: [{ command: 'dagmount metrics | grep ^dagmount_source', does: 'how the store does' }],
    load: () => import('./client/metrics.ts'),
  },
  {
    name: 'log-level',
    aliases: [],
    usage: 'error|warn|info|debug|trace',
    summary: 'change how much the daemon logs, until it ends',
    description: ['Changes the level of the log of a running daemon, and says what it was.'],
    flags: [...which, json],
    argument: 'log-level',
    examples: [{ command: 'dagmount log-level debug', does: 'while something is wrong' }],
    load: () => import('./client/log-level.ts'),
  },
] as const satisfies readonly CommandSpec[];
