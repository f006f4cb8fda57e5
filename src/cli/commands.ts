import { clientCommands } from './client-commands.ts';
import type { CommandSpec } from './command-spec.ts';
import { inspectionCommands } from './inspection-commands.ts';
import { kubernetesCommands } from './kubernetes-commands.ts';
import { releaseCommands } from './release-commands.ts';

export const shells = ['bash', 'zsh', 'fish'] as const;

export const commands: readonly CommandSpec[] = [
  {
    name: 'mount',
    aliases: [],
    usage: 's3://BUCKET[/PREFIX] MOUNTPOINT [options]',
    summary: 'mount a folder of a bucket, or a release, as a read-only directory',
    description: [
      'Shows the objects below PREFIX in BUCKET at MOUNTPOINT, an existing empty directory, and serves it in the foreground until SIGINT or SIGTERM. On SIGHUP, the server checks for changes at once. BUCKET may also be the alias or the ARN of an access point. With --ref, the address is a release root, and the mount shows the release that the environment points to.',
      'Without an address, the file of --config names the trees to show, each with a path below MOUNTPOINT, a source and options of its own: "trees: [{path: team-a, source: s3://acme-airflow/team-a}]". A tree that is held or cannot be reached does not delay the other trees.',
      'Readers see one complete listing, or one release, at a time. Credentials come from the usual places of an AWS SDK (environment, files, web identity, container and instance roles), never from an option. They need s3:ListBucket on the bucket and s3:GetObject on its objects.',
    ],
    flags: [],
    argument: 'directory',
    examples: [
      {
        command: 'dagmount mount s3://acme-airflow/dags /opt/airflow/dags',
        does: 'serve until Ctrl-C',
      },
      {
        command: 'dagmount mount s3://acme-airflow/dags /opt/airflow/dags --daemon --poll-interval 5s',
        does: 'return when the mount is ready',
      },
      {
        command:
          'dagmount mount s3://dags /opt/airflow/dags --endpoint-url https://minio.example:9000 --ca-file ca.pem',
        does: 'mount from a store of your own',
      },
      {
        command: 'dagmount mount /opt/airflow/dags --config /etc/dagmount/trees.yaml',
        does: 'show the trees that the file names, each in its directory',
      },
      {
        command: 'dagmount mount s3://acme-airflow/dags /opt/airflow/dags --print-config',
        does: 'print the value of each option, and its origin',
      },
    ],
    load: () => import('./mount.ts'),
  },
  {
    name: 'unmount',
    aliases: ['umount'],
    usage: 'MOUNTPOINT',
    summary: 'unmount a directory and wait for its daemon to end',
    description: [
      'Unmounts and waits until the daemon has ended. A busy mount is detached: it leaves the directory tree at once, and ends when no process uses it any more. The command also removes the mount of a dead daemon.',
    ],
    flags: [],
    argument: 'mount-point',
    examples: [{ command: 'dagmount unmount /opt/airflow/dags', does: 'end that mount' }],
    load: () => import('./unmount.ts'),
  },
  {
    name: 'list',
    aliases: [],
    usage: '[--json]',
    summary: 'show the mounts of this host',
    description: [
      'Shows every dagmount of this host: source, mount point, process, and whether the mount is ready. Root sees this for all users; other users see only source and mount point of mounts that are not theirs. A mount without a process has a dead daemon.',
    ],
    flags: [{ name: 'json', help: 'Print one JSON array' }],
    argument: 'nothing',
    examples: [{ command: "dagmount list --json | jq -r '.[].target'", does: 'list the mount points' }],
    load: () => import('./list.ts'),
  },
  ...clientCommands,
  ...inspectionCommands,
  ...releaseCommands,
  ...kubernetesCommands,
  {
    name: 'doctor',
    aliases: [],
    usage: '[s3://BUCKET[/PREFIX]] [options]',
    summary: 'check this host and the store, and say what to repair',
    description: [
      'Checks what a mount needs on this host: Node.js, the kernel, /dev/fuse, the right to mount, the addon, the directories. With an address, it also checks the store: credentials, the bucket, listing, reading, the clock. With a file of --config that names trees, it checks the store of each tree. It changes nothing. Exits with the code of the first check that fails.',
    ],
    flags: [{ name: 'json', help: 'Print one JSON document' }],
    argument: 'nothing',
    examples: [
      {
        command: 'dagmount doctor s3://acme-airflow/dags',
        does: 'run this before the first mount, and when a mount fails',
      },
    ],
    load: () => import('./doctor/doctor.ts'),
  },
  {
    name: 'version',
    aliases: [],
    usage: '',
    summary: 'print the version',
    description: ['Prints the version of dagmount.'],
    flags: [],
    argument: 'nothing',
    examples: [],
    load: () => import('./version.ts'),
  },
  {
    name: 'help',
    aliases: [],
    usage: '[COMMAND]',
    summary: 'explain a command',
    description: ['Explains a command and its options, or lists the commands.'],
    flags: [],
    argument: 'command',
    examples: [{ command: 'dagmount help mount', does: 'show every option, its default and its variable' }],
    load: () => import('./help.ts'),
  },
  {
    name: 'completion',
    aliases: [],
    usage: shells.join('|'),
    summary: 'print a completion script for a shell',
    description: [
      'Prints a script with which a shell completes the commands and options of dagmount, the sockets of running daemons, and paths in the tree.',
    ],
    flags: [],
    argument: 'shell',
    examples: [
      { command: 'dagmount completion bash > /etc/bash_completion.d/dagmount', does: 'bash' },
      { command: 'dagmount completion zsh > /usr/local/share/zsh/site-functions/_dagmount', does: 'zsh' },
      { command: 'dagmount completion fish > ~/.config/fish/completions/dagmount.fish', does: 'fish' },
    ],
    load: () => import('./completion/completion.ts'),
  },
];

export function findCommand(name: string): CommandSpec | undefined {
  return commands.find((command) => command.name === name || command.aliases.includes(name));
}

/** Every name of a command, including aliases. */
export function commandNames(): readonly string[] {
  return commands.flatMap(({ name, aliases }) => [name, ...aliases]);
}
