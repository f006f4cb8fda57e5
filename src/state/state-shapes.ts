import type { PastRelease } from '../sync/history.ts';
import type { Instant } from '../sync/instant.ts';
import type { ReplacedInode } from '../sync/replaced-inode.ts';
import type { Problem } from '../tree/index.ts';
import type { StateFacts } from './saved-state.ts';
import { StateError } from './state-error.ts';

/*
 * The required shapes of a state file's JSON. A right checksum proves that the bytes are as written, not that
 * this version of dagmount can use them. So a file of another shape counts as damaged, and is not used.
 */

type Check = (value: unknown) => boolean;
type Signer = NonNullable<StateFacts['release']>['signedBy'][number];
type Shape<T> = { readonly [Name in keyof T]-?: Check };

/** The last second that a Date of JavaScript can show. */
const LAST_SECOND = 8_640_000_000_000;

const isText: Check = (value) => typeof value === 'string';
const isFlag: Check = (value) => typeof value === 'boolean';
const isCount: Check = (value) => Number.isSafeInteger(value) && Number(value) >= 0;
const isId: Check = (value) => Number.isSafeInteger(value) && Number(value) > 0;
const isMilliseconds: Check = (value) =>
  Number.isFinite(value) && Math.abs(Number(value)) <= 1000 * LAST_SECOND;
const isSecond: Check = (value) => Number.isFinite(value) && Math.abs(Number(value)) <= LAST_SECOND;
const isNanoseconds: Check = (value) => isCount(value) && Number(value) < 1e9;
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
const either =
  (...checks: readonly Check[]): Check =>
  (value) =>
    checks.some((check) => check(value));
const isAbsent: Check = (value) => value === undefined;
const isNull: Check = (value) => value === null;
const shaped =
  <T>(shape: Shape<T>): Check =>
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    Object.entries<Check>(shape).every(([name, check]) => check((value as Record<string, unknown>)[name]));

const isInstant = shaped<Instant>({ seconds: isSecond, nanoseconds: isNanoseconds });

const isFacts = shaped<StateFacts>({
  number: isId,
  nextNodeId: isId,
  peaks: listOf(
    shaped<StateFacts['peaks'][number]>({ files: isCount, until: either(isNull, isMilliseconds) }),
  ),
  history: listOf(
    shaped<StateFacts['history'][number]>({
      id: isText,
      number: isId,
      publishedAt: isMilliseconds,
      files: isCount,
      added: isCount,
      changed: isCount,
      removed: isCount,
      release: either(
        isAbsent,
        shaped<PastRelease>({ sequence: isCount, id: isText, author: isText, message: isText }),
      ),
    }),
  ),
  digest: either(isAbsent, isText),
  // Present only if the tree is a release.
  release: either(
    isAbsent,
    shaped<NonNullable<StateFacts['release']>>({
      ref: isText,
      sequence: isCount,
      id: isText,
      author: isText,
      message: isText,
      commit: either(isAbsent, isText),
      url: either(isAbsent, isText),
      created: isMilliseconds,
      signedBy: listOf(shaped<Signer>({ fingerprint: isText, principals: isText })),
      allowsDeletions: isFlag,
    }),
  ),
  filters: isText,
  writtenBy: isText,
});

const isProblem = shaped<Problem>({
  key: isText,
  // Another version of dagmount may have other reasons.
  reason: (value) => typeof value === 'string' && /^[a-z-]{1,64}$/.test(value),
  detail: isText,
});

const isRemovedDirectory: Check = (value) =>
  Array.isArray(value) && value.length === 2 && isText(value[0]) && isId(value[1]);

const isReplaced = shaped<ReplacedInode>({
  nodeId: isId,
  directory: isFlag,
  archived: isFlag,
  // Format 1 has neither of these two.
  executable: either(isAbsent, isFlag),
  lastModified: either(isAbsent, isCount),
  parentId: isId,
  path: isText,
  version: either(
    isAbsent,
    shaped<NonNullable<ReplacedInode['version']>>({
      // The name becomes a path below the cache directory.
      name: (value) => typeof value === 'string' && /^[0-9a-f]{32}$/.test(value),
      path: isText,
      etag: isText,
      size: isCount,
      lastModified: either(isAbsent, isCount),
      place: either(
        isAbsent,
        shaped<NonNullable<NonNullable<ReplacedInode['version']>['place']>>({
          // The pack becomes a key of the store.
          pack: (value) => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value),
          offset: isCount,
        }),
      ),
    }),
  ),
  mtime: either(isAbsent, isInstant),
});

export interface StateLists {
  readonly facts: StateFacts;
  readonly problems: readonly Problem[];
  readonly removedDirectories: readonly (readonly [string, number])[];
  readonly replaced: readonly ReplacedInode[];
}

/** Returns the lists if their shapes are right. Otherwise throws StateError with the code `damaged`. */
export function requireShapes(
  lists: { readonly [Name in keyof StateLists]: unknown },
  instant: Instant,
): StateLists {
  const checks: Readonly<Record<keyof StateLists, Check>> = {
    facts: isFacts,
    problems: listOf(isProblem),
    removedDirectories: listOf(isRemovedDirectory),
    replaced: listOf(isReplaced),
  };
  for (const name of Object.keys(checks) as (keyof StateLists)[]) {
    if (!checks[name](lists[name])) throw new StateError('damaged', `its ${name} are not what a state has`);
  }
  if (!isInstant(instant)) throw new StateError('damaged', 'its instant is no date');
  return lists as StateLists;
}
