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
      'dagmount made the mount of `source` at `target`. `driver` is the driver of the mount, `by` the call or program that mounted it, `protocol` the version of FUSE, and `readahead` whether dagmount raised the read-ahead of the kernel. `takeover` says what happens to readers if this server dies: with `resend` the kernel sends their unanswered requests to the next server, and with `journal` the next server reads these requests from memory that this server leaves. With `remount` the next server makes a new mount, and files that are open in this one may fail with ENOTCONN. If the supervisor has started a server of this mount again, the line also has `restarts`, `cause`, `reason` and `ms`: see `taken-over`.',
  },
  ready: {
    levels: ['info'],
    fields: ['generation', 'cacheTooSmall'],
    meaning:
      'The mount shows complete trees, and all files up to the size of `--prefetch` are in the cache, except objects that the store does not return. If the cache is too small for all of these files, the line has `cacheTooSmall`: only the smallest are in the cache, and `cacheTooSmall.neededBytes` is the cache size for all. If the mount has several trees, `tree-ready` has these fields.',
  },
  unmounted: {
    levels: ['info'],
    fields: ['target', 'problems'],
    meaning:
      'The mount at `target` ended. `problems` is the number of keys that the last tree could not show as they are, as in `dagmount status`.',
  },
  upcalls: {
    levels: ['info'],
    fields: ['opcodes', 'malformed', 'readErrors', 'replacedInodes', 'refused', 'replayed'],
    meaning:
      'A server that unmounts logs what it has counted since it started. `opcodes` are the requests that the kernel sent, by opcode; `malformed` those that dagmount could not parse. `readErrors` are the failed reads, by errno, and `refused` the answers that the kernel refused. `replayed` are the requests that an earlier server had received and not answered, and that this server received again. `replacedInodes` are the inodes of earlier trees that the kernel may still have held at the end.',
  },
  'mount-busy': {
    levels: ['info'],
    fields: ['target', 'reason', 'graceSeconds'],
    meaning:
      'The mount is to end, but a process still uses it (`reason`). dagmount detaches the mount from `target`, and answers that process for another `graceSeconds` seconds. After that, the process gets ENOTCONN for content that the kernel has not cached.',
  },
  'mounts-unreadable': {
    levels: ['debug'],
    fields: ['err'],
    meaning:
      'The server cannot read the table of mounts (`err`), because file descriptors or memory are exhausted. It assumes that its mount still exists, and checks again later.',
  },
  'stopped-at-once': {
    levels: ['warn'],
    fields: ['target'],
    meaning:
      'A second SIGINT or SIGTERM ended the process at once, possibly before it had unmounted `target`. If the mount still exists, its readers get ENOTCONN: `dagmount unmount` removes it.',
  },
  failed: {
    levels: ['fatal'],
    fields: ['code', 'exitCode', 'hint', 'stack'],
    meaning:
      'The process ends with `exitCode`. `code` is an error code of this page (none if a bug in dagmount is the cause), and `hint` says what to do. `stack` is there if the log level is debug.',
  },
  'weak-driver': {
    levels: ['info', 'warn'],
    fields: ['reason', 'hint', 'limitations'],
    meaning:
      'fuse-native serves the mount instead of the kernel driver. The level is info if `--driver` asks for fuse-native; warn if the kernel driver cannot be used (`reason`; `hint` says what to do). `limitations` lists the promises of dagmount that fuse-native keeps only in part.',
  },
  'idmap-not-allowed': {
    levels: ['warn'],
    fields: ['hint'],
    meaning:
      '`--allow-idmap` is set, but the kernel does not allow idmapped mounts (mounts with mapped user ids) of this mount. Pods with `hostUsers: false` cannot use the mount. `hint` says what to do.',
  },
  'notifications-refused': {
    levels: ['warn'],
    fields: ['sent', 'failed', 'ms'],
    meaning:
      'After a publication, dagmount sent `sent` notifications to make the kernel drop cached names and content, and the kernel refused `failed` of them. `ms` is the time of all notifications in milliseconds. Processes may still see the earlier version of some files.',
  },
  'publication-stuck': {
    levels: ['error'],
    fields: ['directory', 'holders'],
    meaning:
      'A process holds the kernel lock of `directory` (a path in the mount; empty for the mount point), so the kernel cannot apply a publication. This and all later publications wait until the lock is free. Kill the processes in `holders` (`kill -9`). `holders` can be empty, because a dagmount that does not run as root cannot see the processes of other users. Then run `grep -l iterate_dir /proc/[0-9]*/task/[0-9]*/stack` as root: it prints the threads that list a directory.',
  },
  'publication-freed': {
    levels: ['info'],
    fields: ['seconds'],
    meaning:
      'After `publication-stuck`: the kernel applies publications again. They were blocked for `seconds` seconds.',
  },
  'request-failed': {
    levels: ['error'],
    fields: ['opcode', 'error'],
    meaning:
      'A request of the kernel (`opcode`) failed because of a bug in dagmount, and the process that caused the request got EIO. Please report it.',
  },
} as const satisfies Readonly<Record<string, LogEventDeclaration>>;
