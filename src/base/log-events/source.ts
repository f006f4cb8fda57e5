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
    meaning: 'A file changed after it was listed: the source is listed once more.',
  },
  'listing-by-token': {
    levels: ['info'],
    fields: [],
    meaning:
      'The store returns no more than one page for a request: the source is listed page by page, by continuation tokens.',
  },
  'listing-in-one-page': {
    levels: ['info'],
    fields: [],
    meaning: 'The whole listing is requested from the store in one page.',
  },
  'listing-changed-under-way': {
    levels: ['info'],
    fields: [],
    meaning: 'The listing changed while it was read in parallel.',
  },
  'listing-unordered': {
    levels: ['info'],
    fields: [],
    meaning:
      'The store does not list in byte order, so the source is not listed in parallel. This is slower.',
  },
  'source-slow': {
    levels: ['warn'],
    fields: ['since', 'seconds'],
    meaning: 'A listing has taken more than a minute so far. No change is shown before it ends.',
  },
  'source-quick': {
    levels: ['info'],
    fields: ['seconds'],
    meaning: 'After `source-slow`: a listing took less than a minute.',
  },
  'waiting-for-store': {
    levels: ['warn', 'debug'],
    fields: ['code', 'detail', 'leftSeconds'],
    meaning: 'At a first start, the store cannot be read: it is tried again for another `leftSeconds`.',
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
      'The check of the store for changes failed: the tree stays as it is. Warn: the first failure, or another `code` than before; debug: the same again; error: a bug in dagmount.',
  },
  'source-recovered': {
    levels: ['info'],
    fields: ['failures'],
    meaning: 'After `revalidation-failed`: the store answers again.',
  },
  armed: {
    levels: ['info'],
    fields: ['release', 'at'],
    meaning: 'The next release is on the local disk, and is shown at `at`.',
  },
  'clock-skew': {
    levels: ['info'],
    fields: ['seconds'],
    meaning:
      "The store's clock is `seconds` ahead of this host's clock. Releases with a set time are shown by the store's clock. Set this host's clock.",
  },
  'watched-key-missing': {
    levels: ['warn'],
    fields: ['key', 'code'],
    meaning:
      'The key of `--watch-key` is missing or cannot be read (`code`): every poll lists the source until it can.',
  },
  'watched-key-found': {
    levels: ['info'],
    fields: ['key'],
    meaning: 'After `watched-key-missing`: the key can be read.',
  },
  hinted: {
    levels: ['debug'],
    fields: ['origin'],
    meaning: 'A hint came: the source is looked at soon.',
  },
  'events-failed': {
    levels: ['warn', 'debug'],
    fields: ['code', 'detail', 'failures'],
    meaning:
      'The queue of `--events` cannot be read: changes are found by polling. Warn: the first failure, or another `code` than before; debug: the same again.',
  },
  'events-recovered': {
    levels: ['info'],
    fields: ['failures'],
    meaning: 'After `events-failed`: the queue can be read again.',
  },
  'events-not-deleted': {
    levels: ['warn', 'debug'],
    fields: ['messages', 'code', 'detail'],
    meaning: 'Messages could not be deleted from the queue of `--events`, and come again: that costs a look.',
  },
  'events-not-understood': {
    levels: ['warn'],
    fields: [],
    meaning:
      'The queue of `--events` holds messages that are no events of S3. They are left there: check that it is the right queue. Said once.',
  },
  'standby-taken': {
    levels: ['warn'],
    fields: ['source'],
    meaning:
      'The first source cannot be reached: trees come from the standby `source`. The tree never goes back in time by that.',
  },
  'standby-left': {
    levels: ['info'],
    fields: ['source'],
    meaning:
      'After `standby-taken`: the first source has answered for a minute, and trees come from it again.',
  },
  'first-behind': {
    levels: ['warn'],
    fields: ['detail'],
    meaning:
      'The first source answers again, but does not have what was deployed to the standby, or cannot be followed (`detail` says why, and what to do): trees still come from the standby.',
  },
  'standby-unusable': {
    levels: ['warn', 'debug'],
    fields: ['source', 'detail'],
    meaning:
      'The standby `source` cannot be used (`detail`): found by the request of each day, or when it was needed. Debug: the same again.',
  },
  'store-traits': {
    levels: ['warn'],
    fields: ['traits'],
    meaning: 'dagmount has learned how the ETags of the store are made (`traits`).',
  },
  'setting-ignored': {
    levels: ['warn'],
    fields: ['hint'],
    meaning: 'An entry of `NO_PROXY` is invalid and has no effect.',
  },
} as const satisfies Readonly<Record<string, LogEventDeclaration>>;
