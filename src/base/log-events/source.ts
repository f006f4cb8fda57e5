import type { LogEventDeclaration } from './declaration.ts';

/** Events of the source and its listings. */
export const sourceEvents = {
  listed: {
    levels: ['debug'],
    fields: ['objects', 'requests', 'digest'],
    meaning: 'The source was listed.',
  },
  'listing-outdated': {
    levels: ['info'],
    fields: ['path', 'code', 'restarts'],
    meaning: 'A file changed after it was listed. dagmount lists the source again.',
  },
  'listing-by-token': {
    levels: ['info'],
    fields: [],
    meaning:
      'The store does not return all keys in one page. dagmount lists page by page, by continuation tokens.',
  },
  'listing-in-one-page': {
    levels: ['info'],
    fields: [],
    meaning: 'dagmount requests the whole listing from the store in one page.',
  },
  'listing-changed-under-way': {
    levels: ['info'],
    fields: [],
    meaning: 'The listing changed while dagmount read it in parallel.',
  },
  'listing-unordered': {
    levels: ['info'],
    fields: [],
    meaning: 'The store does not list in byte order, so dagmount does not list in parallel. This is slower.',
  },
  'source-slow': {
    levels: ['warn'],
    fields: ['since', 'seconds'],
    meaning:
      'A listing has taken more than a minute so far. dagmount shows no change before the listing ends.',
  },
  'source-quick': {
    levels: ['info'],
    fields: ['seconds'],
    meaning: 'After `source-slow`: a listing took less than a minute.',
  },
  'waiting-for-store': {
    levels: ['warn', 'debug'],
    fields: ['code', 'detail', 'leftSeconds'],
    meaning: 'At a first start, dagmount cannot read the store. It retries for another `leftSeconds`.',
  },
  'no-first-tree': {
    levels: ['debug'],
    fields: ['code', 'message', 'detail', 'hint', 'consecutiveFailures'],
    meaning: 'An attempt to read the first tree failed.',
  },
  'revalidation-failed': {
    levels: ['warn', 'error', 'debug'],
    fields: ['code', 'message', 'detail', 'hint', 'consecutiveFailures', 'err'],
    meaning:
      'dagmount could not check the store for changes: the tree stays as it is. Warn: the first failure, or another `code` than before; debug: the same again; error: a bug in dagmount.',
  },
  'source-recovered': {
    levels: ['info'],
    fields: ['failures'],
    meaning: 'After `revalidation-failed`: the store answers again.',
  },
  armed: {
    levels: ['info'],
    fields: ['release', 'at'],
    meaning: 'The next release is on the local disk. dagmount shows it at the time `at`.',
  },
  'clock-skew': {
    levels: ['info'],
    fields: ['seconds'],
    meaning:
      "The store's clock is `seconds` ahead of this host's clock. dagmount shows releases with a set time by the store's clock. Set this host's clock.",
  },
  'watched-key-missing': {
    levels: ['warn'],
    fields: ['key', 'code'],
    meaning:
      'The key of `--watch-key` is missing or cannot be read (`code`). Every poll lists the source until the key can be read.',
  },
  'watched-key-found': {
    levels: ['info'],
    fields: ['key'],
    meaning: 'After `watched-key-missing`: the key can be read.',
  },
  hinted: {
    levels: ['debug'],
    fields: ['origin'],
    meaning: 'A hint arrived. dagmount checks the source soon.',
  },
  'events-failed': {
    levels: ['warn', 'debug'],
    fields: ['code', 'detail', 'failures'],
    meaning:
      'The queue of `--events` cannot be read: polling finds changes. Warn: the first failure, or another `code` than before; debug: the same again.',
  },
  'events-recovered': {
    levels: ['info'],
    fields: ['failures'],
    meaning: 'After `events-failed`: the queue can be read again.',
  },
  'events-not-deleted': {
    levels: ['warn', 'debug'],
    fields: ['messages', 'code', 'detail'],
    meaning:
      'dagmount could not delete messages from the queue of `--events`. The queue delivers them again, and dagmount checks the source once more.',
  },
  'events-not-understood': {
    levels: ['warn'],
    fields: [],
    meaning:
      'The queue of `--events` holds messages that are not S3 events. dagmount leaves them there. Check that it is the right queue. Logged once.',
  },
  'standby-taken': {
    levels: ['warn'],
    fields: ['source'],
    meaning:
      'The first source cannot be reached: dagmount reads trees from the standby `source`. This never brings back replaced files.',
  },
  'standby-left': {
    levels: ['info'],
    fields: ['source'],
    meaning:
      'After `standby-taken`: the first source has answered for a minute, and dagmount reads trees from it again.',
  },
  'first-behind': {
    levels: ['warn'],
    fields: ['detail'],
    meaning:
      'The first source answers again, but lacks what was deployed to the standby, or cannot be followed. dagmount still reads trees from the standby. `detail` says why, and what to do.',
  },
  'standby-unusable': {
    levels: ['warn', 'debug'],
    fields: ['source', 'detail'],
    meaning:
      'The standby `source` cannot be used (`detail`). The daily test request failed, or a request when the standby was needed. Debug: the same again.',
  },
  'store-traits': {
    levels: ['warn'],
    fields: ['traits'],
    meaning: 'dagmount has learned how the store makes ETags (`traits`).',
  },
  'setting-ignored': {
    levels: ['warn'],
    fields: ['hint'],
    meaning: 'An entry of `NO_PROXY` is invalid and has no effect.',
  },
} as const satisfies Readonly<Record<string, LogEventDeclaration>>;
