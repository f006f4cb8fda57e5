import type { LogEventDeclaration } from './declaration.ts';

/** Events of `dagmount csi`. */
export const kubernetesEvents = {
  'driver-listening': {
    levels: ['info'],
    fields: ['endpoint', 'node', 'version', 'metricsPort'],
    meaning: 'The driver answers kubelet, and serves its metrics at `metricsPort`.',
  },
  'driver-waits': {
    levels: ['warn'],
    fields: ['path', 'other'],
    meaning:
      'Another driver, `other`, runs on this node. This driver waits a minute for it to end, and then fails.',
  },
  'driver-ended': {
    levels: ['info'],
    fields: ['mounts'],
    meaning: 'The driver ends. The next driver takes over those of its `mounts` that a holder keeps.',
  },
  'volumes-restored': {
    levels: ['info'],
    fields: ['resumed', 'cleared'],
    meaning:
      'The driver serves the `resumed` volumes of the previous driver. `cleared` volumes were no longer mounted.',
  },
  'volume-published': {
    levels: ['info'],
    fields: ['volume', 'target', 'source', 'key'],
    meaning: 'A pod has its volume.',
  },
  'volume-unpublished': {
    levels: ['info'],
    fields: ['volume', 'target', 'source', 'key'],
    meaning: 'The driver removed the volume of a pod.',
  },
  'volume-refused': {
    levels: ['warn', 'error'],
    fields: ['volume', 'target', 'code', 'hint', 'error'],
    meaning:
      'The driver could not publish or unpublish a volume. kubelet retries, and the events of the pod show the same error. Level error: a bug in dagmount, or a file of this node that the driver cannot use.',
  },
  'volumes-not-renewed': {
    levels: ['warn'],
    fields: ['key', 'volumes', 'error'],
    meaning:
      'A mount ended, and the driver could not make a new one, or could not bind it for `volumes`. The driver and kubelet retry.',
  },
  'volume-files-left': {
    levels: ['warn'],
    fields: ['error'],
    meaning: 'The driver could not remove files of ended mounts. It retries later.',
  },
  'volume-source-started': {
    levels: ['info'],
    fields: ['source', 'key'],
    meaning: 'The driver started a mount for all volumes with equal requests.',
  },
  'volume-source-ended': {
    levels: ['info'],
    fields: ['source', 'key', 'volumes'],
    meaning:
      'A mount for volumes has ended. If `volumes` use it, the driver makes a new mount, and binds it over the old one.',
  },
} as const satisfies Readonly<Record<string, LogEventDeclaration>>;
