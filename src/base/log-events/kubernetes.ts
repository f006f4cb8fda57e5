import type { LogEventDeclaration } from './declaration.ts';

/** Events of `dagmount csi`. */
export const kubernetesEvents = {
  'driver-listening': {
    levels: ['info'],
    fields: ['endpoint', 'node', 'version', 'metricsPort'],
    meaning:
      'The CSI driver answers kubelet at `endpoint`. It serves its metrics at `metricsPort` if `--metrics-listen` is set.',
  },
  'driver-waits': {
    levels: ['warn'],
    fields: ['path', 'other'],
    meaning:
      'Another CSI driver runs on this node and has locked `path`. `other` has the host name of the other driver (usually the name of its pod) and the time since when it runs; it is empty if the other driver has not written them yet. This driver waits up to a minute for the other driver to end, and then ends with exit code 75. If the other driver does not end, remove one of the two DaemonSets.',
  },
  'driver-ended': {
    levels: ['info'],
    fields: ['mounts'],
    meaning:
      'The CSI driver ended while it had `mounts` mounts. The next driver takes over each mount that a holder process (`dagmount hold`) keeps, and readers wait until then. Without a holder, a mount ends with the pod of the driver: readers get ENOTCONN, and the next driver makes a new mount.',
  },
  'volumes-restored': {
    levels: ['info'],
    fields: ['resumed', 'cleared'],
    meaning:
      'A new CSI driver read which volumes the previous driver had. It serves `resumed` volumes that are still mounted, and removed the remains of `cleared` volumes that are not, for example after a restart of the node.',
  },
  'volume-published': {
    levels: ['info'],
    fields: ['volume', 'target', 'source', 'key'],
    meaning:
      'The CSI driver bound a mount of `source` at `target`, the directory of the volume `volume` in a pod. `key` identifies the mount: volumes with equal requests share one mount.',
  },
  'volume-unpublished': {
    levels: ['info'],
    fields: ['volume', 'target', 'source', 'key'],
    meaning:
      'kubelet asked the CSI driver to remove the volume `volume` of a pod, and the driver removed it from `target`. The volume used the mount of `source` that `key` identifies. This mount stays as long as other volumes use it. After that it stays for the time `idle` of the configuration of the driver (10 minutes by default), so that the next pod need not wait.',
  },
  'volume-refused': {
    levels: ['warn', 'error'],
    fields: ['volume', 'target', 'code', 'hint', 'error'],
    meaning:
      'The CSI driver could not publish or unpublish the volume `volume` at `target`. `code` says why, and `hint` what to do; kubelet retries, and the events of the pod show the same message. The level is error if a bug in dagmount is the cause, or if the driver cannot use a file of this node, for example because a disk is full. The line then has `error` instead of `code` and `hint`.',
  },
  'volumes-not-renewed': {
    levels: ['warn'],
    fields: ['key', 'volumes', 'error'],
    meaning:
      'The CSI driver could not start the mount `key` again, or could not bind it into all volumes that use it. `volumes` counts the failures, and `error` is the first one. Processes in these pods get errors until the driver or kubelet retries with success.',
  },
  'volume-files-left': {
    levels: ['warn'],
    fields: ['error'],
    meaning:
      'The CSI driver could not remove the files of ended mounts from this node (`error`). They take disk space until the driver retries, after the end of the next mount.',
  },
  'volume-source-started': {
    levels: ['info'],
    fields: ['source', 'key'],
    meaning:
      'The CSI driver started a mount of `source`, which all volumes with equal requests share. `key` identifies the mount.',
  },
  'volume-source-ended': {
    levels: ['info'],
    fields: ['source', 'key', 'volumes'],
    meaning:
      'A mount of the CSI driver ended, and `volumes` volumes use it. If there are any, the driver starts a new mount of the same `source` after 5 seconds, and binds the new mount over the ended one in each volume. If there are none, nothing needs that mount any more.',
  },
} as const satisfies Readonly<Record<string, LogEventDeclaration>>;
