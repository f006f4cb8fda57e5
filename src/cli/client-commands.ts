import { json, timeout, tree, which } from './client-flags.ts';
import type { CommandSpec } from './command-spec.ts';

/** The commands that query a running daemon over its control socket. */
export const clientCommands = [
  {
    name: 'status',
    aliases: [],
    usage: '[--mount MOUNTPOINT | --socket PATH …] [--json]',
    summary: 'show what is mounted, how fresh it is, and what is wrong',
    description: [
      'Prints the shown generation, the time of the last answer of the store, what is held back, and what the cache holds. "degraded" names what does not work fully; the tree is complete all the same.',
      'With several sockets, also those of other hosts that ssh forwards, the command compares the nodes: which node shows the newest tree, which nodes lag, since when, why, and by which paths. Times are by the clock of the node with the newest tree.',
    ],
    flags: [...which, tree, json],
    argument: 'nothing',
    examples: [
      { command: "dagmount status --json | jq -r '.degraded[]'", does: 'print what is wrong, for a script' },
      {
        command: 'dagmount status --socket a.sock --socket b.sock',
        does: 'compare the trees of two nodes',
      },
      {
        command: 'ssh -nNT -L ./b.sock:/run/dagmount/0123456789ab.sock b.example &',
        does: 'forward the socket of another host, for the line above',
      },
    ],
    load: () => import('./client/status.ts'),
  },
  {
    name: 'refresh',
    aliases: [],
    usage: '[--wait] [--timeout DURATION]',
    summary: 'look for changes in the store now',
    description: [
      'Makes the daemon list the store at once. With --wait, the command returns when every reader sees that listing: after an upload, no reader then sees an older tree. Exits with 75 if the listing is held back or the wait takes longer than --timeout, with 69 if the store cannot be reached.',
      'If the mount shows several trees, the daemon lists the sources of all of them, unless --tree names one. With --wait, the command prints the outcome for each tree, and exits with the code of the worst.',
    ],
    flags: [
      { name: 'wait', help: 'Return when readers see what the store held at the call' },
      timeout,
      ...which,
      tree,
      json,
    ],
    argument: 'nothing',
    examples: [
      {
        command: 'aws s3 sync dags s3://acme-airflow/dags && dagmount refresh --wait',
        does: 'deploy, and wait until readers see it',
      },
    ],
    load: () => import('./client/refresh.ts'),
  },
  {
    name: 'generations',
    aliases: [],
    usage: '[--json]',
    summary: 'list the trees that were shown, the newest first',
    description: [
      'Lists the publications that the daemon remembers: number, id, time, number of files, and how many files were added, changed and removed. Equal trees have equal ids, on every host. If the mount shows several trees, the command lists the publications of all of them, unless --tree names one.',
    ],
    flags: [...which, tree, json],
    argument: 'nothing',
    examples: [{ command: 'dagmount generations', does: 'list what changed, and when' }],
    load: () => import('./client/generations.ts'),
  },
  {
    name: 'diff',
    aliases: [],
    usage: '[A] [B] [--exit-code]',
    summary: 'show which paths differ between two generations',
    description: [
      'Compares the last two generations, or A with the last, or A with B. Name a generation by its number, its id, or the beginning of its id. A line begins with + for an added path, ~ for a changed one, - for a removed one. A directory is listed only if it is empty, with a slash at its end.',
    ],
    flags: [{ name: 'exit-code', help: 'Exit with 1 if they differ' }, ...which, tree, json],
    argument: 'generations',
    examples: [
      { command: 'dagmount diff', does: 'show what the last publication changed' },
      { command: 'dagmount diff 12 15', does: 'show what the last three of these publications changed' },
    ],
    load: () => import('./client/diff.ts'),
  },
  {
    name: 'problems',
    aliases: [],
    usage: '[--json]',
    summary: 'list the keys that cannot be shown as they are',
    description: [
      'Lists the keys of the bucket that are left out of the tree or cannot be read, and why. If the mount shows several trees, the command lists the keys of all of them, unless --tree names one.',
    ],
    flags: [...which, tree, json],
    argument: 'nothing',
    examples: [{ command: 'dagmount problems', does: 'list what is missing, and why' }],
    load: () => import('./client/problems.ts'),
  },
  {
    name: 'accept',
    aliases: [],
    usage: '[ID] [--timeout DURATION]',
    summary: 'show a tree that is held back',
    description: [
      'dagmount holds back a listing that loses more files than --max-delete allows. This command makes the daemon show the held listing, if a fresh listing is still the same. With an ID, it accepts only that tree; without an ID, the tree that is held at that moment. It accepts a release only for the reasons that docs/releases.md names. Exits with 66 if nothing is held.',
      'If the mount shows several trees, the command accepts the only held tree, or the tree with the ID. If several trees are held, the command names them: select one with --tree.',
    ],
    flags: [timeout, ...which, tree, json],
    argument: 'nothing',
    examples: [{ command: 'dagmount accept', does: 'show the tree after an intended deletion' }],
    load: () => import('./client/accept.ts'),
  },
  {
    name: 'restart',
    aliases: [],
    usage: '[--timeout DURATION]',
    summary: 'replace the server with a new one of the installed version',
    description: [
      'Starts a new server with the options of the mount. The old server answers readers until the new one is ready; then the new one takes over the same mount, and readers notice nothing. If the new server does not become ready, dagmount stops it, the old server continues, and the command exits with 70. SIGUSR2 to the process of the mount does the same.',
      'Owner, permissions, --allow-other and --allow-idmap are fixed for the life of a mount. The new server reads the other options and the file of --config again.',
    ],
    flags: [timeout, ...which, json],
    argument: 'nothing',
    examples: [{ command: 'npm install -g dagmount && dagmount restart', does: 'upgrade in place' }],
    load: () => import('./client/restart.ts'),
  },
] as const satisfies readonly CommandSpec[];
