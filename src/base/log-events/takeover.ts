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
      'A server cannot use `file`, which keeps the last tree for a restart. `code` is the reason, such as `checksum` (the file is damaged) or `newer-format` (a newer dagmount wrote it), and `detail` describes it. `outcome` says what the server does instead: `other-file` (it reads the tree from the file `other`), `new-tree` (it builds the tree from the store) or `new-mount` (it cannot take over the mount, and makes a new one). After `new-tree`, the numbers of trees begin with 1 again, and files have the mtimes of their objects instead of the times at which dagmount published them.',
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
    meaning:
      'After `state-not-kept`: dagmount wrote the tree to `file` again. If the server restarts, the next server can read the tree from there.',
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
  'rehearsal-failed': {
    levels: ['debug'],
    fields: ['err'],
    meaning:
      'A standby runs in advance what it will run when it takes over, and this failed (`err`). Nothing else follows: its takeover may take longer.',
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
      'The previous server ended, and this server took over its mount of `source` at `target` in `ms` milliseconds; `protocol` is the version of FUSE. `cause` is `died`, `silent` (no sign of life), `late` (it did not begin to serve in time), `restart-asked` or `service-restarted`; `reason` gives details, such as an exit code, and `restarts` counts the servers that the supervisor has started again. `parts` divides `ms` into three phases: `tree` until this server had read the kept tree, `session` until it answered readers, and `notifications` until the kernel had answered all notifications. `unanswered` counts requests that the previous server had received and not answered; this server gets them from the kernel if `resends` is true, and otherwise from memory that the previous server left. `owed` counts notifications about a changed tree that the previous server may not have sent, and that this server therefore sent; the kernel refused `failed` of them.',
  },
  stuck: {
    levels: ['error'],
    fields: ['threads'],
    meaning:
      'The previous server gave no sign of life, or did not begin to serve in time, and the supervisor killed it. For each thread of that server, `threads` has its id, name and state, and the kernel functions in which it was. State R means that the thread was running, and D that it waited in the kernel, usually for a disk. If a thread has state D, check the disk. Otherwise, report this line to the developers of dagmount.',
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
      'This process did not get its mount from the holder process (`dagmount hold`) with the socket `file` within 5 seconds, and ends with exit code 75. If another process of the same mount still runs, end that process. If the holder keeps 128 mounts, which is the maximum, unmount those that you do not need. If the holder does not answer, check its process, and whether this user may connect to the socket. `detail` is the same for all three causes.',
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
      'No server began to serve within `--takeover-deadline`, so the supervisor tried to abort the connection with the kernel, for which it has to write 1 to `file`. It could not open or write it (`detail`), and processes still wait. Write 1 to `file` as root: the kernel then aborts the connection, and the waiting processes get an error. If `file` is missing, no server has named the file of this connection, and the supervisor only closed the device, which ends the connection unless a thread of a dead server has the device open. If processes still wait, the file is `/sys/fs/fuse/connections/N/abort`, where N is the second number of `major:minor` in the line of the mount in `/proc/self/mountinfo`.',
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
      'A user or a service manager asked for a restart. Before the new server was ready, the mount ended, or the old server was asked to end. The old server writes this line and ends; the new server does not take over.',
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
