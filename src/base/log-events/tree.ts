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
  'version-dropped': {
    levels: ['info'],
    fields: ['version'],
    meaning:
      'A version that nobody has used for `--version-idle` is shown no more, until it is looked up again.',
  },
  'version-unavailable': {
    levels: ['warn', 'error', 'debug'],
    fields: ['version', 'code', 'err'],
    meaning:
      'Whether there is such a version could not be found out (`code`): whoever looked it up got EIO. Debug: the same `code` as the last time; error: a fault of dagmount.',
  },
  'version-held': {
    levels: ['warn'],
    fields: ['version', 'reason', 'detail', 'hint'],
    meaning:
      'What the store has of a version is not believed (`reason`, as of a ref): whoever looked it up got EIO.',
  },
  'version-refused': {
    levels: ['warn'],
    fields: ['version', 'versions'],
    meaning: 'As many versions are shown as may be, and the kernel holds all of them: another one got EIO.',
  },
  'version-unkept': {
    levels: ['warn'],
    fields: ['version', 'code'],
    meaning: 'A version cannot be written to the cache directory: after a restart it is fetched again.',
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
      'A listing is held back, as it removes too much; or a release, since it is not believed or not whole; or a first tree is shown but not called ready, as too many of its objects are unreadable (`held.reason`). A listing or release that stays held is named again every ten minutes. `dagmount status` says what to do.',
  },
  'no-longer-held': {
    levels: ['info'],
    fields: ['generation'],
    meaning: 'After `held`: a listing passed, or the held one was accepted.',
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
    meaning: 'Some objects change faster than they can be listed: they are shown as they were found.',
  },
} as const satisfies Readonly<Record<string, LogEventDeclaration>>;
