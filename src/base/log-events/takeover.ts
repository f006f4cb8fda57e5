import type { LogEventDeclaration } from './declaration.ts';

/** Events of restarts and takeovers, and of the state kept for them. */
export const takeoverEvents = {
  restored: {
    levels: ['info'],
    fields: ['number', 'files', 'publishedAt', 'from'],
    meaning: 'dagmount read the last published tree from the local disk, and can show it without the store.',
  },
  'state-unusable': {
    levels: ['warn'],
    fields: ['file', 'code', 'detail', 'outcome', 'other'],
    meaning:
      'A file that keeps the last tree for a restart cannot be used. `outcome` says what dagmount does instead: `other-file` (it reads the tree from the file `other`), `new-tree` (it builds the tree from the store, and numbers and dates start again) or `new-mount` (it cannot take over the mount, and makes a new one).',
  },
  'state-write-failed': {
    levels: ['warn'],
    fields: ['file', 'code'],
    meaning:
      'At a start, dagmount could not copy or remove a file that keeps the last tree. The mount continues.',
  },
  'state-not-kept': {
    levels: ['warn'],
    fields: ['file', 'code', 'degraded'],
    meaning:
      'dagmount published the tree, but cannot write it to the disk for a restart. Free space on that disk, or make it writable.',
  },
  'state-kept': {
    levels: ['info'],
    fields: ['file'],
    meaning: 'After `state-not-kept`: dagmount can write the tree for a restart again.',
  },
  'step-not-kept': {
    levels: ['warn'],
    fields: ['directory', 'code'],
    meaning:
      'dagmount cannot write the newest step that it has seen to `--state-dir`: after a restart, this node could follow an earlier step. Make the directory writable. dagmount retries at each check of the ref.',
  },
  'step-kept': {
    levels: ['info'],
    fields: ['directory'],
    meaning: 'After `step-not-kept`: dagmount wrote the newest step that it has seen.',
  },
  'last-success-not-kept': {
    levels: ['debug'],
    fields: ['file', 'err'],
    meaning:
      'The time of the last answer of the store cannot be written. If the store is down at the next start, the age of the tree is unknown.',
  },
  'taken-over': {
    levels: ['warn'],
    fields: [
      'source',
      'target',
      'protocol',
      'restarts',
      'cause',
      'reason',
      'ms',
      'parts',
      'unanswered',
      'owed',
      'failed',
      'resends',
    ],
    meaning:
      'The previous server ended, and this server serves its mount after `ms` milliseconds. `parts` divides that time: `tree` (until the kept tree was read), `session` (until the session answered requests), `notifications` (until the kernel had answered the missing notifications). `cause`: `died`, `silent` (no sign of life), `late` (it did not begin to serve in time), `restart-asked` or `service-restarted`.',
  },
  stuck: {
    levels: ['error'],
    fields: ['threads'],
    meaning:
      'The previous server gave no sign of life and was killed. `threads` says in which kernel function each of its threads was.',
  },
  supervised: {
    levels: ['warn'],
    fields: ['supervisor'],
    meaning: 'The supervisor ended, and the server started another supervisor.',
  },
  unsupervised: {
    levels: ['error'],
    fields: [],
    meaning:
      'The supervisor ended, and no other can be started: the mount ends with this server. Unmount, and mount again.',
  },
  'supervisor-failed': {
    levels: ['error'],
    fields: ['detail'],
    meaning: 'The supervisor cannot start: the process ends with exit code 71.',
  },
  'server-not-started': {
    levels: ['error'],
    fields: ['file', 'detail'],
    meaning: 'The supervisor cannot run the program of the server. Check the installation.',
  },
  'held-elsewhere': {
    levels: ['error'],
    fields: ['file', 'detail'],
    meaning:
      'Another process has the mount that the holder at `file` keeps, or the holder does not answer: the process ends with exit code 75.',
  },
  'hold-malformed': {
    levels: ['error'],
    fields: ['file', 'detail'],
    meaning:
      'DAGMOUNT_HOLD is too long, or DAGMOUNT_HOLD_KEY is not 64 hexadecimal digits in lower case: the process ends with exit code 78.',
  },
  'holder-failed': {
    levels: ['error'],
    fields: ['file', 'detail'],
    meaning:
      '`dagmount hold` cannot listen at `file`, or another holder listens there: the process ends with exit code 73 or 75.',
  },
  'readers-not-freed': {
    levels: ['error'],
    fields: ['file', 'detail'],
    meaning:
      'No server can be started, and the supervisor cannot end the requests that wait for a server. As root, write 1 to `file`.',
  },
  'handed-over': {
    levels: ['info'],
    fields: [],
    meaning: 'Another server takes over the mount, and this server ends.',
  },
  'restart-given-up': {
    levels: ['info'],
    fields: [],
    meaning: 'A restart was asked for, but no server can take over: the mount ends.',
  },
  'restart-failed': {
    levels: ['error'],
    fields: ['reason'],
    meaning:
      'The new server did not become ready: the old server continues. `reason` says how the new server ended.',
  },
  'other-driver': {
    levels: ['warn'],
    fields: ['driver'],
    meaning:
      'The previous server used another driver. Its mount cannot be taken over: this server makes a new mount.',
  },
  unusable: {
    levels: ['warn'],
    fields: [],
    meaning:
      'Another version of dagmount served this mount. It cannot be taken over: this server makes a new mount.',
  },
  'other-mount': {
    levels: ['warn'],
    fields: ['source', 'target'],
    meaning:
      'The settings name another source or mount point than before the restart: the earlier mount is removed.',
  },
} as const satisfies Readonly<Record<string, LogEventDeclaration>>;
