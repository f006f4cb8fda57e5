/** Each code names something degraded. The shown tree is complete in all of these cases. */
export const degradedMeanings = {
  'source-unreachable': 'The store cannot be reached: changes are not seen.',
  'source-denied': 'The store refuses access: changes are not seen. Check credentials and policy.',
  'source-throttled': 'The store asks for fewer requests: changes are seen late.',
  'source-slow': 'A listing takes, or took, more than a minute; `source.listingSeconds` says how long.',
  'on-standby': 'The first source cannot be reached: the tree is read from a standby source.',
  'unreadable-objects': 'Files are shown whose content the store does not give: reading them gives EIO.',
  'publication-stuck':
    'A process keeps the kernel from taking a publication; `stuck` has the directory and the threads that hold it.',
  held: 'A listing or a release is held back; `held` says why.',
  'cache-unwritable': 'The cache directory cannot be written: reads go to the store.',
  'cache-full': 'The disk of the cache is full: reads go to the store.',
  'cache-too-small': 'The cache cannot hold all files up to `--prefetch`: some are read from the store.',
  'state-unwritable': 'What a restart would show cannot be written to the disk.',
  'state-dir-unwritable':
    'The newest step of the environment cannot be written to `--state-dir`: after a restart an earlier one could be followed.',
  unsupervised: 'No supervisor would start another server if this one ended.',
  'weak-driver': 'fuse-native serves the mount, and keeps some promises in part only.',
} as const;

export type DegradedCode = keyof typeof degradedMeanings;

export const degradedCodes = Object.keys(degradedMeanings) as [DegradedCode, ...DegradedCode[]];
