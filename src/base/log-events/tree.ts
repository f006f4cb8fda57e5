import type { LogEventDeclaration } from './declaration.ts';

/** Events of publications and what a tree shows. */
export const treeEvents = {
  published: {
    levels: ['info'],
    fields: ['id', 'number', 'publishedAt', 'files', 'added', 'changed', 'removed', 'bytes', 'release'],
    meaning: 'A new tree is shown.',
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
    meaning: 'With `--versions`: a release was looked up for the first time, and is shown.',
  },
  'version-fetched': {
    levels: ['debug'],
    fields: ['version', 'files'],
    meaning:
      'The prefetch of a version has ended: what is within `--prefetch`, can be read from the store, and fits into the cache is local. `files`: how many the last pass set out to fetch.',
  },
  'version-fetch-failed': {
    levels: ['info', 'error'],
    fields: ['version', 'code', 'err'],
    meaning:
      'The content of a version could not be fetched before it is read (`code`): readers fetch what they need, and the next use of the version tries again. Error: a fault of dagmount.',
  },
  'version-dropped': {
    levels: ['info'],
    fields: ['version'],
    meaning:
      'No process has used a version for `--version-idle`: it is no longer shown, until a process looks it up again.',
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
      'The store has a version that is not believed (`reason`, as of a ref): the lookup failed with EIO.',
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
    meaning: 'A version cannot be written to the cache directory: after a restart, it is fetched again.',
  },
  stage: {
    levels: ['debug'],
    fields: ['stage', 'seconds'],
    meaning: 'A stage of a publication has ended: the stages of `dagmount_publish_duration_seconds`.',
  },
  held: {
    levels: ['warn', 'debug'],
    fields: ['held'],
    meaning:
      'A listing is held because it removes too much; or a release, because it is not believed or not complete; or a first tree is shown but is not ready, because too many of its objects are unreadable (`held.reason`). The line is repeated every ten minutes while a listing or release is held. `dagmount status` says what to do.',
  },
  'no-longer-held': {
    levels: ['info'],
    fields: ['generation'],
    meaning: 'After `held`: a later listing or release was shown, or the held one was accepted.',
  },
  'waiting-for-objects': {
    levels: ['warn', 'debug'],
    fields: ['since', 'until', 'files', 'objects', 'leftSeconds'],
    meaning:
      'A new tree waits for objects that cannot be read. After `leftSeconds` it is shown without their content.',
  },
  'waited-for-objects': {
    levels: ['info'],
    fields: ['files'],
    meaning: 'After `waiting-for-objects`: the wait is over.',
  },
  'unreadable-objects': {
    levels: ['warn'],
    fields: ['files', 'objects'],
    meaning: 'Files are shown whose objects cannot be read: reading them gives EIO.',
  },
  'readable-objects': {
    levels: ['info'],
    fields: ['files', 'objects'],
    meaning: 'After `unreadable-objects`: they can be read again, or are no longer shown.',
  },
  'changing-objects-shown': {
    levels: ['info'],
    fields: ['files'],
    meaning:
      'Some objects change faster than the source can be listed: each is shown in the version that was fetched.',
  },
  'tree-ready': {
    levels: ['info'],
    fields: ['generation', 'cacheTooSmall'],
    meaning:
      'Of several trees, one is shown, and what is to be prefetched of it is in the cache. `ready` follows when all are.',
  },
  'tree-not-shown': {
    levels: ['warn', 'debug'],
    fields: ['code', 'detail', 'hint'],
    meaning:
      'Of several trees, one cannot be shown yet: it has no directory, and is tried again at each poll. Debug: the same again. Mend what `hint` names.',
  },
  'tree-not-ready': {
    levels: ['warn'],
    fields: ['code', 'detail', 'hint'],
    meaning:
      'Of several trees, nothing of one can be read, or of a release that is its first not all: the mount is not ready. It is tried again, and `tree-ready` follows. Mend what `hint` names.',
  },
} as const satisfies Readonly<Record<string, LogEventDeclaration>>;
