import type { LogEventDeclaration } from './declaration.ts';

/** Events of restarts and takeovers, and of the state kept for them. */
export const takeoverEvents = {
  restored: {
    levels: ['info'],
    fields: ['number', 'files', 'publishedAt', 'from'],
    meaning: 'The tree that was published last was read from this host: it can be shown without the store.',
  },
  'state-unusable': {
    levels: ['warn'],
    fields: ['file', 'code', 'detail', 'outcome', 'other'],
    meaning:
      'A file that keeps the last tree for a restart cannot be used. `outcome` says what follows: `other-file` (the tree is read from the file `other`), `new-tree` (the tree is built from the store, and its numbers and dates start again) or `new-mount` (the mount cannot be taken over and is made again).',
  },
  'state-write-failed': {
    levels: ['warn'],
    fields: ['file', 'code'],
    meaning:
      'At a start, a file that keeps the last tree could not be copied or removed. The mount continues.',
  },
  'state-not-kept': {
    levels: ['warn'],
    fields: ['file', 'code', 'degraded'],
    meaning:
      'The tree was published, but cannot be written to the disk for a restart. Free space on that disk, or make it writable.',
  },
  'state-kept': {
    levels: ['info'],
    fields: ['file'],
    meaning: 'After `state-not-kept`: the tree can be written for a restart again.',
  },
  'step-not-kept': {
    levels: ['warn'],
    fields: ['directory', 'code'],
    meaning:
      'The newest step that was seen cannot be written to `--state-dir`: after a restart, this node could follow an earlier step. Make the directory writable; each look at the ref tries again.',
  },
  'step-kept': {
    levels: ['info'],
    fields: ['directory'],
    meaning: 'After `step-not-kept`: the newest step that was seen could be written.',
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
      'The previous server ended, and this server serves its mount after `ms` milliseconds. `parts` of them: `tree` until the kept tree was read, `session` until requests were answered, `notifications` until the kernel had been told what it lacked. `cause`: `died`, `silent` (no sign of life), `late` (it did not come to serve in time), `restart-asked` or `service-restarted`.',
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
    meaning: 'The supervisor ended, and another one was started.',
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
      'The holder at `file` gives the mount to no other process while one has it, or does not answer: the process ends with exit code 75.',
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
      '`dagmount hold` cannot listen at `file`, or another holder does: the process ends with exit code 73 or 75.',
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
    meaning: 'Another server takes over the mount, and this one ends.',
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
