import type { LogEventDeclaration } from './declaration.ts';

/** Events of the cache and reads of content. */
export const cacheEvents = {
  'reads-failed': {
    levels: ['warn'],
    fields: ['path', 'errno', 'code', 'failures'],
    meaning:
      'Processes got errors when they read files. `path`, `errno` (what the process got) and `code` (the cause) describe the last of these reads; `failures` counts all since the previous such line. EIO means that the content is not in the cache and that dagmount could not get it from the store; ESTALE means that the file was replaced. dagmount writes at most one such line a second.',
  },
  'read-crashed': {
    levels: ['error'],
    fields: ['err', 'path'],
    meaning: 'A read of the file `path` failed with EIO because of a bug in dagmount. Please report it.',
  },
  'backlog-crashed': {
    levels: ['error'],
    fields: ['err'],
    meaning:
      'A bug in dagmount stopped the background fetch of content. The next publication starts another background fetch; until then, dagmount fetches a missing file when a process reads it. Please report it.',
  },
  prefetched: {
    levels: ['debug'],
    fields: ['files', 'noRoom', 'failed'],
    meaning:
      'dagmount fetched the content of a new tree before it shows the tree. `files` is the number of files to fetch, `noRoom` the number of files that did not fit into the cache, and `failed` the number of files that the store did not return.',
  },
  'prefetch-paused': {
    levels: ['warn', 'debug'],
    fields: ['code', 'message', 'detail', 'hint', 'pendingFiles', 'pendingBytes'],
    meaning:
      'The store failed while dagmount fetched content of the shown tree in the background. `pendingFiles` files (`pendingBytes` bytes) are still missing: dagmount retries within `--poll-interval`, and fetches a missing file at once if a process reads it. The level is debug if the same `code` was logged before.',
  },
  'cache-too-small': {
    levels: ['warn'],
    fields: ['neededBytes', 'cacheBytes', 'largestFetched'],
    meaning:
      'The cache (`cacheBytes` bytes) cannot hold all files up to the size of `--prefetch`. dagmount keeps the smaller files, up to `largestFetched` bytes each, in the cache, and reads larger ones from the store when a process reads them. Set `--cache-size` to `neededBytes` or more.',
  },
  'cache-full': {
    levels: ['warn'],
    fields: ['noRoom'],
    meaning:
      'The cache did not take the content of `noRoom` files, because `--cache-size` is reached or the disk refuses writes (`cache-unwritable`); dagmount stops after 32 such files in a row. It fetches files that are not in the cache from the store when a process reads them. Raise `--cache-size`, or free space on the disk.',
  },
  'cache-recovered': {
    levels: ['info'],
    fields: ['blobs', 'temporaries', 'corrupt'],
    meaning:
      'This server scanned the cache directory, as each server does when it starts or takes over, to use the content that earlier servers fetched. It kept `blobs` blobs (a blob is the content of one file, or of 8 MiB of it). It removed `temporaries` unfinished files of a killed server, and `corrupt` files that are not valid blobs.',
  },
  'cache-order-lost': {
    levels: ['warn'],
    fields: [],
    meaning:
      'A server that starts cannot read the file that says in which order to evict content from the cache. No content is lost: the server evicts the content of earlier servers by age, the oldest first.',
  },
  'cache-foreign-files': {
    levels: ['warn'],
    fields: ['entries', 'samples'],
    meaning:
      'The directory `blobs` of the cache has `entries` files or directories that dagmount did not create; `samples` has the paths of up to 5. dagmount neither uses nor removes them.',
  },
  'cache-corrupt': {
    levels: ['warn'],
    fields: ['key', 'flaw'],
    meaning:
      'A blob in the cache (the content of a file; `key` is the name of the blob) is not what dagmount wrote there; `flaw` says how it differs. dagmount removed the blob, and fetches its content from the store again. Check the disk.',
  },
  'cache-unwritable': {
    levels: ['warn'],
    fields: ['code', 'errno', 'directory'],
    meaning:
      'dagmount cannot write content to the cache in `directory` (`errno`). `code` is `cache-full` if the disk or a quota is full, and `cache-unwritable` otherwise. Content that is not in the cache comes from the store at each read. dagmount tries to write again after 5 seconds. Free space on that disk, or make the directory writable.',
  },
  'cache-writable': {
    levels: ['info'],
    fields: ['directory'],
    meaning: 'After `cache-unwritable`: dagmount can write content to the cache in `directory` again.',
  },
  'pins-unreadable': {
    levels: ['warn'],
    fields: ['file', 'err'],
    meaning:
      'A server that starts cannot read `file`, the list of pinned paths (the cache never evicts pinned content). No path is pinned now. Pin the paths again with `dagmount cache pin`.',
  },
  'pins-not-kept': {
    levels: ['warn'],
    fields: ['file', 'err'],
    meaning:
      'A client pinned or unpinned a path, but dagmount cannot write the list of pinned paths to `file`: the next server does not know this change. Free space on that disk, or make it writable. dagmount writes the whole list at the next change of a pin.',
  },
} as const satisfies Readonly<Record<string, LogEventDeclaration>>;
