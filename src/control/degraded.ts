/**
 * What each code in the field `degraded` of a status means. The shown tree is complete in all of these cases.
 */
export const degradedMeanings = {
  'source-unreachable': 'dagmount cannot reach the store, and sees no changes.',
  'source-denied': 'The store refuses access, and dagmount sees no changes. Check credentials and policy.',
  'source-throttled': 'The store asks for fewer requests: changes appear late.',
  'source-slow': 'A listing takes, or took, more than a minute; `source.listingSeconds` says how long.',
  'on-standby': 'dagmount cannot reach the first source, and reads the tree from a standby source.',
  'unreadable-objects': 'The store does not return the content of some shown files: reading them gives EIO.',
  'publication-stuck':
    'A process keeps the kernel from applying a publication; `stuck` names the directory and the threads that hold it.',
  held: 'A listing or a release is held back; `held` says why.',
  'cache-unwritable': 'The cache directory cannot be written: reads go to the store.',
  'cache-full': 'The disk of the cache is full: reads go to the store.',
  'cache-too-small': 'The cache cannot hold all files up to `--prefetch`: some are read from the store.',
  'state-unwritable': 'dagmount cannot write the tree to the disk for a restart.',
  'state-dir-unwritable':
    'dagmount cannot write the newest step of the environment to `--state-dir`: after a restart, this node could follow an earlier step.',
  unsupervised: 'No supervisor would start another server if this server ended.',
  'weak-driver': 'fuse-native serves the mount, and keeps some promises only in part.',
} as const;

export type DegradedCode = keyof typeof degradedMeanings;

export const degradedCodes = Object.keys(degradedMeanings) as [DegradedCode, ...DegradedCode[]];
