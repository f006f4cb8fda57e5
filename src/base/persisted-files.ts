/**
 * The directories of files that outlive a process. `runtime` is on a tmpfs; it and `cache` belong to one
 * mount.
 */
export const persistedPlaces = {
  runtime: '<runtime directory>/<mount id>/',
  cache: '<cache directory>/v1/<mount id>/',
  beside: '<runtime directory>/<mount id>',
  state: '<state directory>/v1/',
  driver: '<state-dir of the driver>/',
  driverMount: '<state-dir of the driver>/mounts/<key>/',
} as const;

interface PersistedFile {
  readonly place: keyof typeof persistedPlaces;
  readonly name: string;
  /** Which process reads the file, and what the file tells it. */
  readonly meaning: string;
}

/** Every file that outlives a process. docs/architecture.md has the same table. */
export const persistedFiles = {
  takeover: {
    place: 'runtime',
    name: 'takeover',
    meaning: 'the server that follows a crash: the last tree, and what the kernel may hold of it',
  },
  verified: {
    place: 'runtime',
    name: 'takeover.verified',
    meaning: 'the server that follows a crash: which blobs of the last tree are verified',
  },
  connection: {
    place: 'runtime',
    name: 'connection.json',
    meaning: 'the server that follows a crash: what INIT agreed on',
  },
  treeMark: {
    place: 'runtime',
    name: 'shown-since',
    meaning: 'the server that follows a crash, of one of several trees: that the kernel may know it',
  },
  socketRecord: {
    place: 'runtime',
    name: 'control-socket.json',
    meaning: 'the server that follows a crash: which file the control socket is',
  },
  mountState: {
    place: 'runtime',
    name: 'state.json',
    meaning: '`list`, `status` and `unmount`: what is mounted, and by which process',
  },
  socket: { place: 'beside', name: '.sock', meaning: 'commands: the control socket' },
  log: {
    place: 'beside',
    name: '.log',
    meaning: 'operators: the log of `--daemon`; `.log.1` is the one before',
  },
  generation: {
    place: 'cache',
    name: 'generation',
    meaning: 'the next start of the host, or after a clean end: the last tree',
  },
  blobs: { place: 'cache', name: 'blobs', meaning: 'every later server: the content of files' },
  versions: {
    place: 'cache',
    name: 'versions',
    meaning: 'every later server: the trees of the releases that `--versions` shows',
  },
  order: { place: 'cache', name: 'order', meaning: "every later server: the cache's order of eviction" },
  pins: { place: 'cache', name: 'pinned.json', meaning: 'every later server: the paths that are pinned' },
  lastSuccess: {
    place: 'cache',
    name: 'last-success',
    meaning: 'a start without the store: when the store last answered',
  },
  storeTraits: {
    place: 'cache',
    name: 'store-traits',
    meaning: "the server that takes over: findings about the store's ETags",
  },
  followedStandby: {
    place: 'cache',
    name: 'followed-standby',
    meaning: 'every later server: the last tree is of this standby source',
  },
  lock: { place: 'cache', name: 'lock', meaning: 'other servers: only one uses a cache at a time' },
  mounted: {
    place: 'cache',
    name: 'mounted',
    meaning: 'the next server, with fuse-native: whether the mount was still there',
  },
  spool: {
    place: 'cache',
    name: 'spool',
    meaning:
      'no process: an empty file of a server that was killed while it made it; the next use removes it',
  },
  steps: {
    place: 'state',
    name: 'releases',
    meaning: 'every later start: the newest step of each environment that was accepted',
  },
  volumes: {
    place: 'driver',
    name: 'volumes',
    meaning: 'the next `dagmount csi`: which volumes are published, and with which mount',
  },
  driverLock: {
    place: 'driver',
    name: 'lock',
    meaning:
      'another `dagmount csi`: only one runs on a node; there is one in `cache-dir`, beside the mounts and beside the socket, too',
  },
  holdKey: {
    place: 'driverMount',
    name: 'hold-key',
    meaning: 'the next `dagmount csi`: the proof for the holder that it is of the same mount',
  },
  token: {
    place: 'driverMount',
    name: 'token',
    meaning: "the mount of a volume with a role: kubelet's last token; `token.expires` says until when",
  },
} as const satisfies Readonly<Record<string, PersistedFile>>;
