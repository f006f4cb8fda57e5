import type { LogEventDeclaration } from './declaration.ts';

/** Events of `dagmount csi`. */
export const kubernetesEvents = {
  'driver-listening': {
    levels: ['info'],
    fields: ['endpoint', 'node', 'version', 'metricsPort'],
    meaning: 'The driver answers kubelet, and shows its metrics at `metricsPort`.',
  },
  'driver-waits': {
    levels: ['warn'],
    fields: ['path', 'other'],
    meaning:
      'Another driver, `other`, runs on this node. This one waits for its end for a minute, and fails then.',
  },
  'driver-ended': {
    levels: ['info'],
    fields: ['mounts'],
    meaning: 'The driver ends and leaves its `mounts` to the next one, as far as a holder keeps them.',
  },
  'volumes-restored': {
    levels: ['info'],
    fields: ['resumed', 'cleared'],
    meaning:
      'The driver serves the `resumed` volumes of the driver before. `cleared` volumes were not mounted any more.',
  },
  'volume-published': {
    levels: ['info'],
    fields: ['volume', 'target', 'source', 'key'],
    meaning: 'A pod has its volume.',
  },
  'volume-unpublished': {
    levels: ['info'],
    fields: ['volume', 'target', 'source', 'key'],
    meaning: 'Nothing is left of the volume of a pod.',
  },
  'volume-refused': {
    levels: ['warn', 'error'],
    fields: ['volume', 'target', 'code', 'hint', 'error'],
    meaning:
      'A volume was not published or unpublished; kubelet tries again, and the events of the pod say the same. An error of the level error is a fault of dagmount.',
  },
  'volumes-not-renewed': {
    levels: ['warn'],
    fields: ['key', 'volumes', 'error'],
    meaning:
      'A mount that ended could not be made anew, or not be bound for `volumes`. The driver and kubelet try again.',
  },
  'volume-files-left': {
    levels: ['warn'],
    fields: ['error'],
    meaning: 'Files of mounts that ended could not be removed. The driver tries again later.',
  },
  'volume-source-started': {
    levels: ['info'],
    fields: ['source', 'key'],
    meaning: 'A mount was started for all volumes that ask for the same.',
  },
  'volume-source-ended': {
    levels: ['info'],
    fields: ['source', 'key', 'volumes'],
    meaning:
      'A mount for volumes has ended. If `volumes` use it, the driver mounts anew, and binds the new mount over the old one.',
  },
} as const satisfies Readonly<Record<string, LogEventDeclaration>>;
