import type { CommandSpec } from './command-spec.ts';

/** The commands that the pods of a node run. */
export const kubernetesCommands = [
  {
    name: 'hold',
    aliases: [],
    usage: '--socket PATH',
    summary: 'keep the mounts of a node while their processes are replaced',
    description: [
      'Keeps the descriptors of mounts, so that readers wait, and get no error, while all other processes of a mount are killed and started again. It serves nothing by itself: a mount uses it if DAGMOUNT_HOLD names the socket, and DAGMOUNT_HOLD_KEY is a key of 64 hexadecimal digits that only the processes of that mount have. Run it in a pod or a service of its own: its end ends every mount whose own processes are gone.',
      'The socket is made with mode 0600. SIGTERM ends it.',
    ],
    flags: [{ name: 'socket', help: 'Where it listens', placeholder: 'PATH', completes: 'files' }],
    argument: 'nothing',
    examples: [{ command: 'dagmount hold --socket /run/dagmount-hold/hold.sock', does: 'once a node' }],
    load: () => import('./hold.ts'),
  },
] as const satisfies readonly CommandSpec[];
