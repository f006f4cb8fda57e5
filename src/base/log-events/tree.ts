import type { LogEventDeclaration } from './declaration.ts';

/** Events of publications and what a tree shows. */
export const treeEvents = {
  published: {
    levels: ['info'],
    fields: ['id', 'number', 'publishedAt', 'files', 'added', 'changed', 'removed', 'bytes', 'release'],
    meaning: 'dagmount shows a new tree.',
  },
  'keys-left-out': {
    levels: ['warn'],
    fields: ['count', 'problems'],
    meaning: 'Some keys cannot be shown as they are. `dagmount problems` lists all of them, with reasons.',
  },
  'no-keys-left-out': {
    levels: ['info'],
    fields: ['count'],
    meaning: 'After `keys-left-out`: every key is shown as it is.',
  },
  'version-found': {
    levels: ['info'],
    fields: ['version', 'files'],
    meaning: 'With `--versions`: a process looked up a release for the first time, and dagmount shows it.',
  },
  'version-fetched': {
    levels: ['debug'],
    fields: ['version', 'files'],
    meaning:
      'The prefetch of a version has ended: all files within `--prefetch` that the store returns and that fit into the cache are local. `files`: the number that the last pass tried to fetch.',
  },
  'version-fetch-failed': {
    levels: ['info', 'error'],
    fields: ['version', 'code', 'err'],
    meaning:
      'The prefetch of a version failed (`code`). Readers fetch what they need, and the next use of the version retries the prefetch. Error: a bug in dagmount.',
  },
  'version-dropped': {
    levels: ['info'],
    fields: ['version'],
    meaning:
      'No process has used a version for `--version-idle`. dagmount no longer shows it, until a process looks it up again.',
  },
  'version-unavailable': {
    levels: ['warn', 'error', 'debug'],
    fields: ['version', 'code', 'err'],
    meaning:
      'A process looked up a version, and the store could not say whether it exists (`code`): the lookup failed with EIO. Debug: the same `code` as the last time; error: a bug in dagmount.',
  },
  'version-held': {
    levels: ['warn'],
    fields: ['version', 'reason', 'detail', 'hint'],
    meaning:
      'A version in the store failed verification (`reason`, as for a ref): the lookup failed with EIO.',
  },
  'version-refused': {
    levels: ['warn'],
    fields: ['version', 'versions'],
    meaning:
      'The limit of shown `versions` is reached, and the kernel holds all of them: the lookup of another `version` failed with EIO.',
  },
  'version-unkept': {
    levels: ['warn'],
    fields: ['version', 'code'],
    meaning:
      'dagmount cannot write a version to the cache directory. After a restart, it fetches the version again.',
  },
  stage: {
    levels: ['debug'],
    fields: ['stage', 'seconds'],
    meaning:
      'A stage of a publication has ended. The stages are those of `dagmount_publish_duration_seconds`.',
  },
  held: {
    levels: ['warn', 'debug'],
    fields: ['held'],
    meaning:
      'dagmount holds a listing that removes too much, or a release that failed verification or is incomplete. Or it shows a first tree that is not ready, because too many of its objects are unreadable. `held.reason` says which. While a listing or release is held, the line is repeated every ten minutes. `dagmount status` says what to do.',
  },
  'no-longer-held': {
    levels: ['info'],
    fields: ['generation'],
    meaning: 'After `held`: dagmount shows a later listing or release, or the held one was accepted.',
  },
  'waiting-for-objects': {
    levels: ['warn', 'debug'],
    fields: ['since', 'until', 'files', 'objects', 'leftSeconds'],
    meaning:
      'A new tree waits for objects that cannot be read. After `leftSeconds`, dagmount shows it without their content.',
  },
  'waited-for-objects': {
    levels: ['info'],
    fields: ['files'],
    meaning: 'After `waiting-for-objects`: the wait is over.',
  },
  'unreadable-objects': {
    levels: ['warn'],
    fields: ['files', 'objects'],
    meaning: 'dagmount shows files whose objects cannot be read: reading them gives EIO.',
  },
  'readable-objects': {
    levels: ['info'],
    fields: ['files', 'objects'],
    meaning: 'After `unreadable-objects`: the objects can be read again, or are no longer shown.',
  },
  'changing-objects-shown': {
    levels: ['info'],
    fields: ['files'],
    meaning:
      'Some objects change faster than dagmount can list the source. It shows each in the version that it fetched.',
  },
  'tree-ready': {
    levels: ['info'],
    fields: ['generation', 'cacheTooSmall'],
    meaning:
      'One of several trees is shown, and its content to prefetch is in the cache. `ready` follows when all trees are ready.',
  },
  'tree-not-shown': {
    levels: ['warn', 'debug'],
    fields: ['code', 'detail', 'hint'],
    meaning:
      'One of several trees cannot be shown yet. It has no directory, and dagmount retries at each poll. Repair what `hint` names. Debug: the same again.',
  },
  'tree-not-ready': {
    levels: ['warn'],
    fields: ['code', 'detail', 'hint'],
    meaning:
      'The store returns no object of one of several trees, or the first release of a tree is incomplete: the mount is not ready. dagmount retries, and `tree-ready` follows. Repair what `hint` names.',
  },
} as const satisfies Readonly<Record<string, LogEventDeclaration>>;
