import type { LogEventDeclaration } from './declaration.ts';

/** Events of restarts and takeovers, and what is kept for them. */
export const takeoverEvents = {
  restored: {
    levels: ['info'],
    fields: ['number', 'files', 'publishedAt', 'from'],
    meaning: 'The tree that was published last was read from this host: it can be shown without the store.',
  },
  'state-unusable': {
    levels: ['warn'],
    fields: ['file', 'code', 'detail', 'then', 'outcome'],
    meaning:
      'A file that keeps the last tree for a restart cannot be used. `then` or `outcome` says what is done instead.',
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
      'The tree was published, but cannot be written to the disk for a restart. Make room on that disk, or make it writable.',
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
      'The newest step that was seen cannot be written to `--state-dir`: after a restart an earlier one could be followed. Make the directory writable; it is tried again with each look at the ref.',
  },
  'step-kept': {
    levels: ['info'],
    fields: ['directory'],
    meaning: 'After `step-not-kept`: the newest step that was seen is written again.',
  },
  'last-success-not-kept': {
    levels: ['debug'],
    fields: ['file', 'err'],
    meaning:
      'The time of the last answer of the store cannot be written. A start without the store then tells no age.',
  },
  'taken-over': {
    levels: ['warn'],
    fields: [
      'source',
      'target',
      'protocol',
      'restarts',
      'reason',
      'ms',
      'unanswered',
      'owed',
      'failed',
      'resends',
    ],
    meaning: 'The server before ended, and this one serves the same mount after `ms` milliseconds.',
  },
  stuck: {
    levels: ['error'],
    fields: ['threads'],
    meaning:
      'The server before gave no sign of life and was killed. `threads` says in which kernel function each of its threads was.',
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
      'The supervisor ended, and none can be started: the mount does not survive the end of this server. Restart it.',
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
  'readers-not-freed': {
    levels: ['error'],
    fields: ['file', 'detail'],
    meaning:
      'No server can be started, and the supervisor cannot end the requests that wait for one. As root, write 1 to `file`.',
  },
  'handed-over': {
    levels: ['info'],
    fields: [],
    meaning: 'Another server takes over the mount, and this one ends.',
  },
  'restart-given-up': {
    levels: ['info'],
    fields: [],
    meaning: 'A restart was asked for, and no server can take over: the mount ends.',
  },
  'restart-failed': {
    levels: ['error'],
    fields: ['reason'],
    meaning: 'The server that was to take over did not become ready: this one serves the mount as before.',
  },
  'other-driver': {
    levels: ['warn'],
    fields: ['driver'],
    meaning:
      'The server before used another driver, so that its mount cannot be taken over: it is mounted anew.',
  },
  unusable: {
    levels: ['warn'],
    fields: [],
    meaning:
      'Another version of dagmount served this mount, so that it cannot be taken over: it is mounted anew.',
  },
  'other-mount': {
    levels: ['warn'],
    fields: ['source', 'target'],
    meaning:
      'The settings name another source or mount point than before the restart: the earlier mount is taken away.',
  },
} as const satisfies Readonly<Record<string, LogEventDeclaration>>;
