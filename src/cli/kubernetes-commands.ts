import type { CommandSpec } from './command-spec.ts';

/** The commands that the pods of a node run. */
export const kubernetesCommands = [
  {
    name: 'csi',
    aliases: [],
    usage: '--endpoint unix://PATH --node-id NAME [options]',
    summary: 'give the pods of a node their volumes, as a CSI driver',
    description: [
      'Serves the Identity and Node services of CSI to kubelet, under the name csi.dagmount.dev, for inline ephemeral volumes. Volumes that ask for the same share one mount, which is bound read-only into each pod. A publish returns when the tree is ready. With dagmount hold on the node, readers wait, and get no error, while the driver is replaced or killed.',
      'The file of --config says which sources volumes may show: every author of a pod can write an inline volume. Its keys: allow, endpoints, profiles, deadline, idle, mounts, state-dir, cache-dir, hold. The attributes of a volume: source, ref, versions, include, exclude, region, endpoint, profile, role. docs/csi.md explains both.',
      'Ends at SIGTERM, and leaves all mounts to the next driver.',
    ],
    flags: [
      { name: 'endpoint', help: 'Where it listens: unix:///PATH', placeholder: 'ADDRESS' },
      { name: 'node-id', help: 'The name of this node in Kubernetes', placeholder: 'NAME' },
      {
        name: 'kubelet-dir',
        help: 'Where kubelet keeps its pods; /var/lib/kubelet unless given',
        placeholder: 'PATH',
        completes: 'files',
      },
      {
        name: 'config',
        help: 'What volumes may show, in YAML; /etc/dagmount/csi.yaml unless given',
        placeholder: 'FILE',
        completes: 'files',
      },
      {
        name: 'metrics-listen',
        help: 'Offer the metrics of all mounts at /metrics, and /healthz; off unless given',
        placeholder: 'HOST:PORT',
      },
    ],
    argument: 'nothing',
    examples: [
      {
        command: 'dagmount csi --endpoint unix:///csi/csi.sock --node-id "$NODE_NAME"',
        does: 'in the pod of a DaemonSet',
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
      'Keeps the descriptors of mounts, so that readers wait, and get no error, while all other processes of a mount are killed and started again. It serves nothing by itself: a mount uses it if DAGMOUNT_HOLD names the socket, and DAGMOUNT_HOLD_KEY is a key of 64 hexadecimal digits that only the processes of that mount have. Run it in a pod or a service of its own: its end ends every mount whose own processes are gone.',
      'The socket is made with mode 0600. SIGTERM ends it.',
    ],
    flags: [{ name: 'socket', help: 'Where it listens', placeholder: 'PATH', completes: 'files' }],
    argument: 'nothing',
    examples: [{ command: 'dagmount hold --socket /run/dagmount-hold/hold.sock', does: 'once a node' }],
    load: () => import('./hold.ts'),
  },
] as const satisfies readonly CommandSpec[];
