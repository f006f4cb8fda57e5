import type { LogEventDeclaration } from './declaration.ts';

/** Events of restarts and takeovers, and of the state kept for them. */
export const takeoverEvents = {
  restored: {
    levels: ['info'],
    fields: ['number', 'files', 'publishedAt', 'from'],
    meaning:
      'A server read the tree that was published last (tree `number` with `files` files, published at `publishedAt`) from the local disk, and can show it without the store. `from` is `runtime` (a file that does not outlive a restart of the host) or `cache` (a file in the cache directory).',
  },
  'state-unusable': {
    levels: ['warn'],
    fields: ['file', 'code', 'detail', 'outcome', 'other'],
    meaning:
      'A server cannot use `file`, which keeps the last tree for a restart (`code`, `detail`). `outcome` says what the server does instead: `other-file` (it reads the tree from the file `other`), `new-tree` (it builds the tree from the store; the numbers and dates of trees start again) or `new-mount` (it cannot take over the mount, and makes a new one).',
  },
  'state-write-failed': {
    levels: ['warn'],
    fields: ['file', 'code'],
    meaning:
      'At a start, a server could not copy or remove `file`, which keeps the last tree for a restart (`code` is the errno). The mount works, but after another restart the tree may have to come from the store. Free space on that disk, or make it writable.',
  },
  'state-not-kept': {
    levels: ['warn'],
    fields: ['file', 'code', 'degraded'],
    meaning:
      'dagmount published the tree, but cannot write it to `file` for a restart (`code` is the errno; `dagmount status` shows `degraded`). After a restart, dagmount may have to read the tree from the store. Free space on that disk, or make it writable.',
  },
  'state-kept': {
    levels: ['info'],
    fields: ['file'],
    meaning: 'After `state-not-kept`: dagmount can write the tree to `file` for a restart again.',
  },
  'step-not-kept': {
    levels: ['warn'],
    fields: ['directory', 'code'],
    meaning:
      'dagmount cannot write the newest step that it has verified (a step is an entry in the history of a release environment) to `directory`, below `--state-dir` (`code`). After a restart, this node could follow an earlier step, and so show an older release. Make the directory writable; dagmount retries at each check of the release.',
  },
  'step-kept': {
    levels: ['info'],
    fields: ['directory'],
    meaning:
      'After `step-not-kept`: dagmount wrote the newest step that it has verified to `directory`. After a restart, this node follows no earlier step.',
  },
  'last-success-not-kept': {
    levels: ['debug'],
    fields: ['file', 'err'],
    meaning:
      'dagmount cannot write to `file` when the store last answered. If the store is down at the next start, the age of the tree in `dagmount status` is unknown or too high.',
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
      'The previous server ended, and this server took over its mount in `ms` milliseconds. `cause` is `died`, `silent` (no sign of life), `late` (it did not begin to serve in time), `restart-asked` or `service-restarted`; `restarts` counts the servers that the supervisor has started again. `parts` divides `ms`: `tree` (until the kept tree was read), `session` (until this server answered requests) and `notifications` (until the kernel had answered the missing notifications). `unanswered` counts requests that the previous server had received and not answered (`resends`: the kernel sends them again), `owed` the missing notifications, and `failed` those that the kernel refused.',
  },
  stuck: {
    levels: ['error'],
    fields: ['threads'],
    meaning:
      'The previous server gave no sign of life, or did not begin to serve in time, and the supervisor killed it. For each thread of that server, `threads` has its state (R: it computed; D: it waited in the kernel, usually for a disk) and the kernel functions in which it was. Please report it, unless a disk did not answer.',
  },
  supervised: {
    levels: ['warn'],
    fields: ['supervisor'],
    meaning:
      'The supervisor process ended, and the server started another one, with the process id `supervisor`. The mount works as before.',
  },
  unsupervised: {
    levels: ['error'],
    fields: [],
    meaning:
      'The supervisor process ended, and the server cannot start another one. The mount works, but if this server ends, no other server replaces it, and readers get errors. At a suitable time, unmount and mount again.',
  },
  'supervisor-failed': {
    levels: ['error'],
    fields: ['detail'],
    meaning:
      'The supervisor cannot start a server process (`detail`). It ends with exit code 71, and nothing is mounted.',
  },
  'server-not-started': {
    levels: ['error'],
    fields: ['file', 'detail'],
    meaning:
      'The supervisor cannot run `file`, the program of the server (`detail`). At a first start, the supervisor ends; later, it retries, and readers wait if the mount has no other server. Check the installation.',
  },
  'held-elsewhere': {
    levels: ['error'],
    fields: ['file', 'detail'],
    meaning:
      'The holder process (`dagmount hold`) with the socket `file` keeps this mount for another process that still runs, or the holder has no room (128 mounts) or does not answer. This process ends with exit code 75. End the other process of the mount, or check the holder.',
  },
  'hold-malformed': {
    levels: ['error'],
    fields: ['file', 'detail'],
    meaning:
      'The environment variable DAGMOUNT_HOLD (`file` is its value) is too long, or DAGMOUNT_HOLD_KEY is not 64 hexadecimal digits in lower case. The process ends with exit code 78. Correct the variable.',
  },
  'holder-failed': {
    levels: ['error'],
    fields: ['file', 'detail'],
    meaning:
      '`dagmount hold` cannot listen at the socket `file` (`detail`). It ends with exit code 75 if another holder listens there, and otherwise with 73.',
  },
  'readers-not-freed': {
    levels: ['error'],
    fields: ['file', 'detail'],
    meaning:
      'No server began to serve within `--takeover-deadline`, so the supervisor tried to abort the connection with the kernel, for which it has to write 1 to `file`. It could not write (`detail`), and processes still wait. Write 1 to `file` as root: the kernel then aborts the connection, and the waiting processes get an error.',
  },
  'handed-over': {
    levels: ['info'],
    fields: [],
    meaning:
      'A user or a service manager asked for a restart. This server ends, and the next server takes over the mount; readers wait until the next server answers.',
  },
  'restart-given-up': {
    levels: ['info'],
    fields: [],
    meaning:
      'A user or a service manager asked for a restart, but the mount ended before the new server was ready. This server ends, too.',
  },
  'restart-failed': {
    levels: ['error'],
    fields: ['reason'],
    meaning:
      'A user or a service manager asked for a restart, but no new server became ready: the old server continues to serve the mount. `reason` says why. Correct the cause, and restart again.',
  },
  'other-driver': {
    levels: ['warn'],
    fields: ['driver'],
    meaning:
      'The previous server used the kernel driver, and this server uses `driver`, which cannot take over the mount. This server makes a new mount; processes lose the files that they have open in the old one (ENOTCONN).',
  },
  unusable: {
    levels: ['warn'],
    fields: [],
    meaning:
      'This server cannot read what the previous server recorded about the connection with the kernel, usually because the previous server was another version of dagmount. It makes a new mount; processes lose the files that they have open in the old one (ENOTCONN).',
  },
  'other-mount': {
    levels: ['warn'],
    fields: ['source', 'target'],
    meaning:
      'The settings name another source or mount point than before the restart. dagmount removes the earlier mount (of `source` at `target`), and makes the new one.',
  },
} as const satisfies Readonly<Record<string, LogEventDeclaration>>;
