/**
 * The arguments of unshare(1) for the first process of a container whose mounts reach the node: mountPropagation
 * Bidirectional. All processes of the container end with the first.
 */
export const CONTAINER_NAMESPACES = [
  '--mount',
  '--propagation',
  'unchanged',
  '--pid',
  '--fork',
  '--kill-child',
  '--mount-proc',
] as const;
