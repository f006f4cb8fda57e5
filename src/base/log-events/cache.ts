import type { LogEventDeclaration } from './declaration.ts';

/** Events of the cache and reads of content. */
export const cacheEvents = {
  'reads-failed': {
    levels: ['warn'],
    fields: ['path', 'errno', 'code', 'failures'],
    meaning:
      'Reads of files failed. dagmount writes at most one line a second, with the last failure and the number of `failures`.',
  },
  'read-crashed': {
    levels: ['error'],
    fields: ['err', 'path'],
    meaning: 'The read of a file failed because of a bug in dagmount. Please report it.',
  },
  'backlog-crashed': {
    levels: ['error'],
    fields: ['err'],
    meaning: 'The background fetch of content stopped because of a bug in dagmount. Please report it.',
  },
  prefetched: {
    levels: ['debug'],
    fields: ['files', 'noRoom', 'failed'],
    meaning: 'dagmount fetched the content of a new tree before showing the tree.',
  },
  'prefetch-paused': {
    levels: ['warn', 'debug'],
    fields: ['code', 'message', 'detail', 'hint', 'pendingFiles', 'pendingBytes'],
    meaning: 'The store failed during a background fetch of content. dagmount retries later.',
  },
  'cache-too-small': {
    levels: ['warn'],
    fields: ['neededBytes', 'cacheBytes', 'largestFetched'],
    meaning:
      'The cache cannot hold all files up to the prefetch limit: it keeps the smallest ones. Set `--cache-size` above `neededBytes`.',
  },
  'cache-full': {
    levels: ['warn'],
    fields: ['noRoom'],
    meaning:
      'The cache has no room for all content of the tree. dagmount fetches the other files from the store when they are read.',
  },
  'cache-recovered': {
    levels: ['info'],
    fields: ['blobs', 'temporaries', 'corrupt'],
    meaning: 'At a start, dagmount scanned the cache for its content.',
  },
  'cache-order-lost': {
    levels: ['warn'],
    fields: [],
    meaning: 'At a start, dagmount cannot read the order of eviction. It evicts blobs by age.',
  },
  'cache-foreign-files': {
    levels: ['warn'],
    fields: ['entries', 'samples'],
    meaning: 'The cache directory has files that dagmount did not write. dagmount leaves them alone.',
  },
  'cache-corrupt': {
    levels: ['warn'],
    fields: ['key', 'flaw'],
    meaning:
      'A blob in the cache differs from what was written. dagmount removes it, and fetches it again. Check the disk.',
  },
  'cache-unwritable': {
    levels: ['warn'],
    fields: ['code', 'errno', 'directory'],
    meaning:
      'Content cannot be written to the cache: reads go to the store. Free space on that disk, or make it writable.',
  },
  'cache-writable': {
    levels: ['info'],
    fields: ['directory'],
    meaning: 'After `cache-unwritable`: content can be written to the cache again.',
  },
  'pins-unreadable': {
    levels: ['warn'],
    fields: ['file', 'err'],
    meaning: 'The list of pinned paths cannot be read: nothing is pinned.',
  },
  'pins-not-kept': {
    levels: ['warn'],
    fields: ['file', 'err'],
    meaning: 'The list of pinned paths cannot be written: a restart forgets the last change.',
  },
} as const satisfies Readonly<Record<string, LogEventDeclaration>>;
