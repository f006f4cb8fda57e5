import type { LogEventDeclaration } from './declaration.ts';

/** Events of publications and what a tree shows. */
export const treeEvents = {
  published: {
    levels: ['info'],
    fields: ['id', 'number', 'publishedAt', 'files', 'added', 'changed', 'removed', 'bytes', 'release'],
    meaning:
      'dagmount shows a new tree. `number` counts the trees of this mount, and `id` is equal on all nodes that show the same tree. `added`, `changed` and `removed` count files and empty directories, `bytes` is the size of all `files`, `publishedAt` is in milliseconds since the epoch, and `release` describes the release, if the tree is one.',
  },
  'keys-left-out': {
    levels: ['warn'],
    fields: ['count', 'problems'],
    meaning:
      '`count` keys of the store cannot be shown as they are, for example because they cannot be paths. `problems` has up to 20 of them, with reasons; `dagmount problems` lists all. Rename or remove these keys.',
  },
  'no-keys-left-out': {
    levels: ['info'],
    fields: ['count'],
    meaning: 'After `keys-left-out`: dagmount shows every key as it is.',
  },
  'version-found': {
    levels: ['info'],
    fields: ['version', 'files'],
    meaning:
      'The mount has the option `--versions`, and a process looked up the path versions/ID of the mount. `version` is this ID, the id of a release. dagmount found the release, and now shows it there with `files` files, beside the current tree.',
  },
  'version-fetched': {
    levels: ['debug'],
    fields: ['version', 'files'],
    meaning:
      'dagmount fetched the content of a version (a release that a mount shows beside its current tree) in the background. All of its files up to the size of `--prefetch` that the store returns and that fit into the cache are in the cache. dagmount interrupts this work while it fetches content of the current tree. `files` counts only the files that were still missing after the last interruption, and that fit into the cache.',
  },
  'version-fetch-failed': {
    levels: ['info', 'error'],
    fields: ['version', 'code', 'err'],
    meaning:
      'The background fetch of the content of a version (a release that a mount shows beside its current tree) failed (`code`). dagmount fetches a missing file when a process reads it, and retries the background fetch at the next use of the version. The level is error if a bug in dagmount is the cause.',
  },
  'version-dropped': {
    levels: ['info'],
    fields: ['version'],
    meaning:
      'dagmount no longer shows a version (a release beside the current tree), because no process has used it for `--version-idle`, or because another version needs its place. If a process looks the version up again, dagmount shows it again.',
  },
  'version-unavailable': {
    levels: ['warn', 'error', 'debug'],
    fields: ['version', 'code', 'err'],
    meaning:
      'A process looked up a version (a release beside the current tree), and dagmount could not find out from the store whether it exists (`code`). The look-up failed with EIO. The level is debug if the same `code` was logged before; error if a bug in dagmount is the cause.',
  },
  'version-held': {
    levels: ['warn'],
    fields: ['version', 'reason', 'detail', 'hint'],
    meaning:
      'A process looked up a version (a release beside the current tree), but what the store has of it failed verification. The look-up failed with EIO. `reason` is one of the reasons for which a node holds a release; `hint` says what to do.',
  },
  'version-refused': {
    levels: ['warn'],
    fields: ['version', 'versions'],
    meaning:
      'A process looked up another version (a release beside the current tree), but the mount already shows `versions` versions, which is the limit. dagmount can drop none of them, because the kernel still holds their files or `--keep-versions` keeps them. The look-up failed with EIO; end processes that use old versions.',
  },
  'version-unkept': {
    levels: ['warn'],
    fields: ['version', 'code'],
    meaning:
      'dagmount cannot write, read or remove a file of the directory `versions` in the cache directory (`code`). `version` is the name of the file, usually the id of a version (a release beside the current tree). The mount works; after a restart, dagmount fetches the version from the store again.',
  },
  stage: {
    levels: ['debug'],
    fields: ['stage', 'seconds'],
    meaning:
      'A stage of a publication ended after `seconds` seconds. The metric `dagmount_publish_duration_seconds` has the same values of `stage`.',
  },
  held: {
    levels: ['warn', 'debug'],
    fields: ['held'],
    meaning:
      'dagmount keeps the shown tree and holds a new listing or release: the listing removes too much or is an older one of a standby source, or the release failed verification or is incomplete. Or dagmount shows a first tree that is not ready, because too many of its objects are unreadable. `held.reason` says which, and `dagmount status` what to do. While a listing or release is held, the level is warn at first and every ten minutes, and debug in between.',
  },
  'no-longer-held': {
    levels: ['info'],
    fields: ['generation'],
    meaning:
      'After `held`: dagmount no longer holds the tree `generation`, because a later listing or release passed the checks, the source has the shown tree again, or an operator accepted what was held.',
  },
  'waiting-for-objects': {
    levels: ['warn', 'debug'],
    fields: ['since', 'until', 'files', 'objects', 'leftSeconds'],
    meaning:
      'The store does not return `files` objects of a tree (`objects` has the first 5), although it returns others. dagmount waits for them until `until` (`leftSeconds` seconds more; `since` and `until` are in milliseconds since the epoch). Until then, processes see the previous tree, or a first tree that is not ready; then dagmount shows the tree, and reads of these files get EIO, or dagmount holds the tree if there are too many. The level is debug if the same `objects` were logged before.',
  },
  'waited-for-objects': {
    levels: ['info'],
    fields: ['files'],
    meaning:
      'After `waiting-for-objects`: dagmount no longer waits for the `files` objects, because it can read them, or the time is over, or the source has changed.',
  },
  'unreadable-objects': {
    levels: ['warn'],
    fields: ['files', 'objects'],
    meaning:
      'dagmount shows files whose objects the store does not return: reads of these files get EIO. `files` is the number of all such files, and `objects` has up to 20 new ones with the answer of the store. Repair, upload again or delete these objects; dagmount retries them.',
  },
  'readable-objects': {
    levels: ['info'],
    fields: ['files', 'objects'],
    meaning:
      'After `unreadable-objects`: dagmount can read the objects in `objects` again, or no longer shows them. `files` is the number of files that are still unreadable.',
  },
  'changing-objects-shown': {
    levels: ['info'],
    fields: ['files'],
    meaning:
      'Some objects change faster than dagmount can list the source and fetch the objects. dagmount therefore does not list again, and shows `files` objects in the version that it fetched, which may be newer than the listed one.',
  },
  'tree-ready': {
    levels: ['info'],
    fields: ['generation', 'cacheTooSmall'],
    meaning:
      'One of several trees of the mount (`tree` names it) is shown, and its files up to the size of `--prefetch` are in the cache. `cacheTooSmall` means the same as for `ready`, which follows when all trees are ready.',
  },
  'tree-not-shown': {
    levels: ['warn', 'debug'],
    fields: ['code', 'detail', 'hint'],
    meaning:
      'dagmount cannot show one of several trees of the mount yet (`tree` names it), so its directory does not exist. dagmount retries at each poll: repair what `hint` names. The level is debug if the same `code` was logged before.',
  },
  'tree-not-ready': {
    levels: ['warn'],
    fields: ['code', 'detail', 'hint'],
    meaning:
      'dagmount shows one of several trees (`tree` names it), but the store refuses all of its objects, or the first release of the tree is incomplete: reads of missing files get EIO, and the mount is not ready. dagmount retries, and `tree-ready` follows. Repair what `hint` names.',
  },
} as const satisfies Readonly<Record<string, LogEventDeclaration>>;
