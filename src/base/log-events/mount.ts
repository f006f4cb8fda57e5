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
      'The mount was made. `restarts`, `cause` and `reason` are there if an earlier server of this mount had ended: see `taken-over`.',
  },
  ready: {
    levels: ['info'],
    fields: ['generation', 'cacheTooSmall'],
    meaning: 'A whole tree is shown, and what is to be prefetched of it is in the cache.',
  },
  unmounted: {
    levels: ['info'],
    fields: ['target', 'problems'],
    meaning: 'The mount has ended. `problems`: as `dagmount status` counts them, of the last tree.',
  },
  upcalls: {
    levels: ['info'],
    fields: ['opcodes', 'malformed', 'readErrors', 'replacedInodes', 'refused', 'replayed'],
    meaning: 'At the end: how many requests of the kernel were answered, by opcode.',
  },
  'mount-busy': {
    levels: ['info'],
    fields: ['target', 'reason', 'graceSeconds'],
    meaning:
      'At the end, a process still uses the mount: it is detached, and that process is served for `graceSeconds` more.',
  },
  'mounts-unreadable': {
    levels: ['debug'],
    fields: ['err'],
    meaning:
      'The table of mounts cannot be read at this moment. The server assumes that it is still mounted.',
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
      'The process ends with `exitCode`. `code` is one of the error codes of this page; a bug in dagmount has none. `hint` says what to do.',
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
