import type { LogEventDeclaration } from './declaration.ts';

/** Events of the source and its listings. */
export const sourceEvents = {
  listed: {
    levels: ['debug'],
    fields: ['objects', 'requests', 'digest'],
    meaning:
      'dagmount listed the source, or read its newest release. `objects` is the number of objects in the listing, or of files in the release. `requests` is the number of requests to the store, and `digest` a hash that stays equal as long as nothing changes.',
  },
  'listing-outdated': {
    levels: ['info'],
    fields: ['path', 'code', 'restarts'],
    meaning:
      'The object of `path` changed or disappeared after dagmount had listed it, and before dagmount fetched it (`code`). dagmount lists the source again. `restarts` says how often it has done so before in the same check.',
  },
  'listing-by-token': {
    levels: ['info'],
    fields: [],
    meaning:
      'The store does not return all keys in one page, as `listing-in-one-page` would need it. dagmount lists page by page by the continuation tokens of the store, and trusts the store that no key is missing between two pages.',
  },
  'listing-in-one-page': {
    levels: ['info'],
    fields: [],
    meaning:
      'The store does not list in byte order, or does not encode keys, so a key could be missing between two pages of a listing. dagmount therefore requests each listing in one page.',
  },
  'listing-changed-under-way': {
    levels: ['info'],
    fields: [],
    meaning:
      'The source changed while dagmount read a listing by parallel requests. dagmount repeats the listing by one request after the other.',
  },
  'listing-unordered': {
    levels: ['info'],
    fields: [],
    meaning:
      'The store does not list in byte order, so dagmount lists by one request after the other. Listings take longer than with parallel requests.',
  },
  'source-slow': {
    levels: ['warn'],
    fields: ['since', 'seconds'],
    meaning:
      'A listing has taken more than a minute (`seconds`) so far; `since` is its start in milliseconds since the epoch. dagmount shows no change before the listing ends. Mount a prefix with fewer objects, or use `--watch-key`.',
  },
  'source-quick': {
    levels: ['info'],
    fields: ['seconds'],
    meaning: 'After `source-slow`: a listing took `seconds` seconds, which is less than a minute.',
  },
  'waiting-for-store': {
    levels: ['warn', 'debug'],
    fields: ['code', 'detail', 'leftSeconds'],
    meaning:
      'A server has no kept tree to show, and cannot read the first tree from the store (`code`, `detail`). The server retries for another `leftSeconds` seconds (`--wait-for-store`). During this time there is no mount; if the mount has several trees and shows another one, only the directory of this tree is missing. If the time ends without success, the start fails; if another tree can still be shown, `tree-not-shown` follows instead. The level is debug from the second failure on.',
  },
  'no-first-tree': {
    levels: ['debug'],
    fields: ['code', 'message', 'detail', 'hint', 'consecutiveFailures'],
    meaning:
      'A server has no kept tree to show, and one attempt to read the first tree from the store failed; `consecutiveFailures` counts the attempts. If `--wait-for-store` is set and the cause can pass, the server retries (`waiting-for-store`). Otherwise the process ends with this `code`; if the mount has several trees, `tree-not-shown` follows instead.',
  },
  'revalidation-failed': {
    levels: ['warn', 'error', 'debug'],
    fields: ['code', 'message', 'detail', 'hint', 'consecutiveFailures', 'err'],
    meaning:
      'dagmount could not check the store for changes: the shown tree stays, and dagmount retries within `--poll-interval`. `consecutiveFailures` counts the failed checks in a row, and `hint` says what to do. The level is debug if the same `code` was logged before; error if a bug in dagmount is the cause.',
  },
  'source-recovered': {
    levels: ['info'],
    fields: ['failures'],
    meaning:
      'After `revalidation-failed` or `no-first-tree`: the store answers again, after `failures` failed attempts.',
  },
  armed: {
    levels: ['info'],
    fields: ['release', 'at'],
    meaning:
      'dagmount fetched the next release in advance, because it was deployed with a start time (`--at`). dagmount shows it at the time `at`. `release` describes the release: step number, id, author, message.',
  },
  'clock-skew': {
    levels: ['info'],
    fields: ['seconds'],
    meaning:
      'The clock of the store is `seconds` seconds ahead of the clock of this host (a negative number: behind). dagmount shows releases with a start time (`--at`) by the clock of the store. Set the clock of this host: the mtimes of files come from it, and S3 refuses every request if it is more than 15 minutes wrong.',
  },
  'watched-key-missing': {
    levels: ['warn'],
    fields: ['key', 'code'],
    meaning:
      'The object `key` of `--watch-key` does not exist or cannot be read (`code`). Until dagmount can read it, every poll lists the source, which costs more requests.',
  },
  'watched-key-found': {
    levels: ['info'],
    fields: ['key'],
    meaning: 'After `watched-key-missing`: dagmount can read the object `key` of `--watch-key` again.',
  },
  hinted: {
    levels: ['debug'],
    fields: ['origin'],
    meaning:
      'dagmount got a hint that the source may have changed, and checks the source soon. `origin` is `watched-key`, `queue` (of `--events`) or `webhook`.',
  },
  'events-failed': {
    levels: ['warn', 'debug'],
    fields: ['code', 'detail', 'failures'],
    meaning:
      'dagmount cannot read the queue of `--events` (`code`, `detail`), and finds changes only by polling. It retries, except if a wrong setting prevents the use of the queue when a server starts: then correct the setting, and start dagmount again. `failures` counts the failures in a row, and the level is debug if the same `code` was logged before.',
  },
  'events-recovered': {
    levels: ['info'],
    fields: ['failures'],
    meaning:
      'After `events-failed`: dagmount can read the queue of `--events` again, after `failures` failures.',
  },
  'events-not-deleted': {
    levels: ['warn', 'debug'],
    fields: ['messages', 'code', 'detail'],
    meaning:
      'dagmount received messages from the queue of `--events`, but could not delete `messages` of them (`code`, `detail`). The queue delivers these messages again, and dagmount checks the source again for them. If access is denied, allow `sqs:DeleteMessage`. The level is debug if the previous deletion failed, too.',
  },
  'events-not-understood': {
    levels: ['warn'],
    fields: [],
    meaning:
      'The queue of `--events` holds messages that are not S3 events, and dagmount leaves them there. Check that it is the right queue. A server logs this once.',
  },
  'standby-taken': {
    levels: ['warn'],
    fields: ['source'],
    meaning:
      'dagmount reads trees and content from the standby `source`, because the first source cannot be reached, or because it lacks what is shown after a restart. Files do not go back to earlier versions: dagmount holds a listing of the standby that is older than the shown tree. `standby-left` follows.',
  },
  'standby-left': {
    levels: ['info'],
    fields: ['source'],
    meaning:
      'After `standby-taken`: dagmount reads trees from the first source (`source`) again, because the first source has answered for a minute, or because the standby failed.',
  },
  'first-behind': {
    levels: ['warn'],
    fields: ['detail'],
    meaning:
      'The first source answers again, but dagmount still reads trees from the standby: the first source lacks changes that are shown, or dagmount cannot read it for another reason, for example because access is denied. `detail` says why, and for missing changes also what to do. dagmount retries at each poll, and returns to the first source by itself.',
  },
  'standby-unusable': {
    levels: ['warn', 'debug'],
    fields: ['source', 'detail'],
    meaning:
      'dagmount could not use the standby `source` (`detail`), either in the daily test request or when the first source was unreachable. Repair the standby: without it, an outage of the first source means that processes see no changes. The level is debug if the same `source` and `detail` were logged before.',
  },
  'store-traits': {
    levels: ['warn'],
    fields: ['traits'],
    meaning:
      'dagmount found out how the store makes ETags, and adapts its checks. With `own-listing-etags` in `traits`, listings have other ETags than GET, so dagmount compares size and date; with `no-md5-etags`, ETags are not MD5s, so dagmount checks content by length. You need not do anything.',
  },
  'setting-ignored': {
    levels: ['warn'],
    fields: ['hint'],
    meaning:
      'The environment variable `NO_PROXY` has an invalid entry, which has no effect: requests to that host go through the proxy. The message names the entry, and `hint` lists the valid forms.',
  },
} as const satisfies Readonly<Record<string, LogEventDeclaration>>;
