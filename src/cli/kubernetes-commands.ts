import type { CommandSpec } from './command-spec.ts';

/** The commands that the pods of a node run. */
export const kubernetesCommands = [
  {
    name: 'csi',
    aliases: [],
    usage: '--endpoint unix://PATH --node-id NAME [options]',
    summary: 'give the pods of a node their volumes, as a CSI driver',
    description: [
      'Serves the Identity and Node services of CSI to kubelet, under the name csi.dagmount.dev, for inline ephemeral volumes. Volumes with equal requests share one mount, which the driver binds read-only into each pod. A publish returns when the tree is ready. With dagmount hold on the node, readers wait, and get no error, while the driver is replaced or killed.',
      'The file of --config says which sources volumes may show, because every author of a pod can write an inline volume. Its keys: allow, endpoints, profiles, deadline, idle, mounts, state-dir, cache-dir, hold. The attributes of a volume: source, ref, versions, include, exclude, region, endpoint, profile, role. docs/csi.md explains both.',
      'The driver ends at SIGTERM, and leaves all mounts to the next driver.',
    ],
    flags: [
      { name: 'endpoint', help: 'The address to listen on: unix:///PATH', placeholder: 'ADDRESS' },
      { name: 'node-id', help: 'The name of this node in Kubernetes', placeholder: 'NAME' },
      {
        name: 'kubelet-dir',
        help: 'Where kubelet keeps its pods; /var/lib/kubelet unless given',
        placeholder: 'PATH',
        completes: 'files',
      },
      {
        name: 'config',
        help: 'YAML file with what volumes may show; /etc/dagmount/csi.yaml unless given',
        placeholder: 'FILE',
        completes: 'files',
      },
      {
        name: 'metrics-listen',
        help: 'Serve the metrics of all mounts at /metrics, and /healthz; off unless given',
        placeholder: 'HOST:PORT',
      },
    ],
    argument: 'nothing',
    examples: [
      {
        command: 'dagmount csi --endpoint unix:///csi/csi.sock --node-id "$NODE_NAME"',
        does: 'run it in the pod of a DaemonSet',
      },
    ],
    load: () => import('./csi.ts'),
  },
  {
    name: 'hold',
    aliases: [],
    usage: '--socket PATH',
    summary: 'keep the mounts of a node while their processes are replaced',
    description: [
      'Keeps the descriptors of mounts, so that readers wait, and get no error, while all other processes of a mount are killed and started again. The holder serves no reads. A mount uses it if DAGMOUNT_HOLD names the socket, and DAGMOUNT_HOLD_KEY is a key of 64 hexadecimal digits that only the processes of that mount have. Run the holder in a pod or a service of its own: when it ends, every mount ends whose own processes are gone.',
      'The holder creates the socket with mode 0600. SIGTERM ends the holder.',
    ],
    flags: [{ name: 'socket', help: 'The socket to listen on', placeholder: 'PATH', completes: 'files' }],
    argument: 'nothing',
    examples: [{ command: 'dagmount hold --socket /run/dagmount-hold/hold.sock', does: 'one on each node' }],
    load: () => import('./hold.ts'),
  },
] as const satisfies readonly CommandSpec[];
