import type { LogEventDeclaration } from './declaration.ts';

/** Events of the cache and reads of content. */
export const cacheEvents = {
  'reads-failed': {
    levels: ['warn'],
    fields: ['path', 'errno', 'code', 'failures'],
    meaning:
      'Reads of files failed. At most one line a second, with the last failure and the number of `failures`.',
  },
  'read-crashed': {
    levels: ['error'],
    fields: ['err', 'path'],
    meaning: 'The read of a file failed by a fault of dagmount. Please report it.',
  },
  'backlog-crashed': {
    levels: ['error'],
    fields: ['err'],
    meaning: 'The fetching of content in the background ended by a fault of dagmount. Please report it.',
  },
  prefetched: {
    levels: ['debug'],
    fields: ['files', 'noRoom', 'failed'],
    meaning: 'The content of a new tree was fetched before the tree is shown.',
  },
  'prefetch-paused': {
    levels: ['warn', 'debug'],
    fields: ['code', 'message', 'detail', 'hint', 'pendingFiles', 'pendingBytes'],
    meaning: 'The store fails while content is fetched in the background: it is tried again later.',
  },
  'cache-too-small': {
    levels: ['warn'],
    fields: ['neededBytes', 'cacheBytes', 'largestFetched'],
    meaning:
      'The cache cannot hold all files within the prefetch bound: it keeps the smallest. Set `--cache-size` above `neededBytes`.',
  },
  'cache-full': {
    levels: ['warn'],
    fields: ['noRoom'],
    meaning:
      'The cache could not take all content of the tree: the rest is read from the store when it is opened.',
  },
  'cache-recovered': {
    levels: ['info'],
    fields: ['blobs', 'temporaries', 'corrupt'],
    meaning: 'At a start: the content that the cache holds was found.',
  },
  'cache-order-lost': {
    levels: ['warn'],
    fields: [],
    meaning: 'At a start: the order of eviction cannot be read. Blobs are ordered by age.',
  },
  'cache-foreign-files': {
    levels: ['warn'],
    fields: ['entries', 'samples'],
    meaning: 'The cache directory has files that dagmount did not make. It leaves them alone.',
  },
  'cache-corrupt': {
    levels: ['warn'],
    fields: ['key', 'flaw'],
    meaning: 'A blob in the cache is not what was stored: it is removed and fetched again. Check the disk.',
  },
  'cache-unwritable': {
    levels: ['warn'],
    fields: ['code', 'errno', 'directory'],
    meaning:
      'The cache takes no content: reads go to the store. Make room on that disk, or make it writable.',
  },
  'cache-writable': {
    levels: ['info'],
    fields: ['directory'],
    meaning: 'After `cache-unwritable`: the cache takes content again.',
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
