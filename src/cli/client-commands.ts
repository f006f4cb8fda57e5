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
      'Shows the generation that is shown, when the store was last seen, what is held back, and what the cache holds. After "degraded" stands what does not work fully; the tree is complete all the same.',
      'With several sockets, also of other hosts that ssh forwards, it compares the nodes: which shows the newest tree, which lag, since when, why, and by which paths. Times are by the clock of the node that shows the newest.',
    ],
    flags: [...which, tree, json],
    argument: 'nothing',
    examples: [
      { command: "dagmount status --json | jq -r '.degraded[]'", does: 'what is wrong, for a script' },
      {
        command: 'dagmount status --socket a.sock --socket b.sock',
        does: 'whether both show the same tree',
      },
      {
        command: 'ssh -nNT -L ./b.sock:/run/dagmount/0123456789ab.sock b.example &',
        does: 'the socket of another host, for the line above',
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
      'Makes the daemon list the store at once. With --wait it returns when every reader sees that listing: after an upload, no reader sees an older tree then. Exits with 75 if the listing is held back or it takes longer than --timeout, with 69 if the store cannot be reached.',
      'Where the mount shows several trees, all of them look, unless --tree names one. With --wait it prints what became of each, and exits with the code of the worst.',
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
        does: 'deploy, and know it is there',
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
      'Lists the publications that the daemon remembers: number, id, when, how many files, and how many files were added, changed and removed. Equal trees have equal ids, on every host. Where the mount shows several trees, those of all are listed, unless --tree names one.',
    ],
    flags: [...which, tree, json],
    argument: 'nothing',
    examples: [{ command: 'dagmount generations', does: 'what changed when' }],
    load: () => import('./client/generations.ts'),
  },
  {
    name: 'diff',
    aliases: [],
    usage: '[A] [B] [--exit-code]',
    summary: 'show which paths differ between two generations',
    description: [
      'Compares the last two generations, or A with the last, or A with B. A generation is named by its number, its id, or the beginning of that. A line begins with + for a path that came, ~ for one that changed, - for one that went. A directory stands there only where it is empty, with a slash at its end.',
    ],
    flags: [{ name: 'exit-code', help: 'Exit with 1 if they differ' }, ...which, tree, json],
    argument: 'generations',
    examples: [
      { command: 'dagmount diff', does: 'what the last publication changed' },
      { command: 'dagmount diff 12 15', does: 'what three of them changed together' },
    ],
    load: () => import('./client/diff.ts'),
  },
  {
    name: 'problems',
    aliases: [],
    usage: '[--json]',
    summary: 'list the keys that cannot be shown as they are',
    description: [
      'Lists the keys of the bucket that are left out of the tree or cannot be read, and why. Where the mount shows several trees, those of all are listed, unless --tree names one.',
    ],
    flags: [...which, tree, json],
    argument: 'nothing',
    examples: [{ command: 'dagmount problems', does: 'what is missing, and why' }],
    load: () => import('./client/problems.ts'),
  },
  {
    name: 'accept',
    aliases: [],
    usage: '[ID] [--timeout DURATION]',
    summary: 'show a tree that is held back',
    description: [
      'A listing that loses more files than --max-delete allows is held back. The command shows it, if a fresh listing is still the same. With an ID it accepts only that tree; without, the one that is held at that moment. A release is accepted only for the reasons that docs/releases.md names. Exits with 66 if nothing is held.',
      'Where the mount shows several trees, it accepts what is held of the only one of which anything is, or the tree that has the ID. If several are held, it names them: say which with --tree.',
    ],
    flags: [timeout, ...which, tree, json],
    argument: 'nothing',
    examples: [{ command: 'dagmount accept', does: 'the files are gone on purpose' }],
    load: () => import('./client/accept.ts'),
  },
  {
    name: 'restart',
    aliases: [],
    usage: '[--timeout DURATION]',
    summary: 'replace the server by a new one, of the version that is installed now',
    description: [
      'Starts a new server with the options of the mount, beside the old one, which keeps answering until the new one is ready. Then the new one takes over: readers notice nothing, the mount is the same. If the new server does not become ready, it is stopped, the old one keeps serving, and the command exits with 70. SIGUSR2 to the process of the mount does the same.',
      'Owner, permissions and --allow-other hold for the life of a mount; the other options and the file of --config are read again.',
    ],
    flags: [timeout, ...which, json],
    argument: 'nothing',
    examples: [{ command: 'npm install -g dagmount && dagmount restart', does: 'upgrade in place' }],
    load: () => import('./client/restart.ts'),
  },
] as const satisfies readonly CommandSpec[];
