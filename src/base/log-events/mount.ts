import type { LogEventDeclaration } from './declaration.ts';

/** Events of the mount itself. */
export const mountEvents = {
  mounted: {
    levels: ['info'],
    fields: [
      'source',
      'target',
      'driver',
      'by',
      'protocol',
      'takeover',
      'readahead',
      'restarts',
      'cause',
      'reason',
      'ms',
    ],
    meaning:
      'The mount was made. The line has `restarts`, `cause` and `reason` if an earlier server of this mount had ended: see `taken-over`.',
  },
  ready: {
    levels: ['info'],
    fields: ['generation', 'cacheTooSmall'],
    meaning: 'A whole tree is shown, and the content to prefetch is in the cache.',
  },
  unmounted: {
    levels: ['info'],
    fields: ['target', 'problems'],
    meaning: 'The mount has ended. `problems` is the number that `dagmount status` shows, of the last tree.',
  },
  upcalls: {
    levels: ['info'],
    fields: ['opcodes', 'malformed', 'readErrors', 'replacedInodes', 'refused', 'replayed'],
    meaning: 'At the end: the number of answered kernel requests, by opcode.',
  },
  'mount-busy': {
    levels: ['info'],
    fields: ['target', 'reason', 'graceSeconds'],
    meaning:
      'At the end, a process still uses the mount. dagmount detaches the mount, and serves that process for another `graceSeconds`.',
  },
  'mounts-unreadable': {
    levels: ['debug'],
    fields: ['err'],
    meaning:
      'The server cannot read the table of mounts at this moment. It assumes that its mount still exists.',
  },
  'stopped-at-once': {
    levels: ['warn'],
    fields: ['target'],
    meaning:
      'A second signal ended the process at once. The mount may be left dead: `dagmount unmount` removes it.',
  },
  failed: {
    levels: ['fatal'],
    fields: ['code', 'exitCode', 'hint', 'stack'],
    meaning:
      'The process ends with `exitCode`. `code` is an error code of this page; a bug in dagmount has no code. `hint` says what to do.',
  },
  'weak-driver': {
    levels: ['info', 'warn'],
    fields: ['reason', 'hint', 'limitations'],
    meaning:
      'fuse-native serves the mount: because it was chosen (info), or because the kernel driver cannot be used (warn). `limitations` lists the promises that fuse-native keeps only in part.',
  },
  'idmap-not-allowed': {
    levels: ['warn'],
    fields: ['hint'],
    meaning: 'No idmapped mount of this mount can be made, although `--allow-idmap` is set.',
  },
  'notifications-refused': {
    levels: ['warn'],
    fields: ['sent', 'failed', 'ms'],
    meaning: 'The kernel refused some notifications of a publication.',
  },
  'publication-stuck': {
    levels: ['error'],
    fields: ['directory', 'holders'],
    meaning:
      'A process holds the lock of a directory, so the kernel cannot apply a publication. End the processes in `holders`.',
  },
  'publication-freed': {
    levels: ['info'],
    fields: ['seconds'],
    meaning: 'After `publication-stuck`: the kernel applies publications again.',
  },
  'request-failed': {
    levels: ['error'],
    fields: ['opcode', 'error'],
    meaning: 'A request of the kernel failed because of a bug in dagmount. Please report it.',
  },
} as const satisfies Readonly<Record<string, LogEventDeclaration>>;
