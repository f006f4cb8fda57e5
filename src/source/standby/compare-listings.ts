import type { ContentVersion, Generation } from '../../tree/index.ts';
import type { Built } from '../source.ts';

/** An object of this store that has the bytes of a file which is shown under the ETag of another store. */
export interface SameObject {
  /** The version that is shown. */
  readonly shown: ContentVersion;
  /** The ETag in this store. */
  readonly etag: string;
  /** Milliseconds since the epoch. */
  readonly lastModified: number | undefined;
}

/** The newest file that would go back in time, and in what way. */
export interface GoesBack {
  readonly path: string;
  /** The date of the file, in whole seconds since the epoch. */
  readonly at: number;
  readonly how: 'older' | 'missing' | 'deleted-before';
  /** How many files would go back, including this one. */
  readonly files: number;
}

/** The shown version of a path and the version in this store, by their ETags. */
interface EtagPair {
  readonly shown: string;
  readonly found: string;
}

/** Findings about paths whose two versions have different ETags, by path. */
export interface Compared {
  readonly same: ReadonlyMap<string, SameObject>;
  /** The versions whose bytes were compared and differ. */
  readonly different: ReadonlyMap<string, EtagPair>;
}

export interface Comparison extends Compared {
  /** The newest file that would go back in time; undefined if none would. */
  readonly back: GoesBack | undefined;
}

export interface CompareOptions {
  /** The shown tree, which may come from another store. */
  readonly shown: Generation;
  /** The tree of this store, and how it differs from the shown one. */
  readonly found: Pick<Built, 'generation' | 'changes'>;
  /** The findings of earlier comparisons. */
  readonly known: Compared;
  /**
   * Set while the shown tree comes from another store than this one. Undefined if it comes from this store:
   * then any difference was made by changing, deleting or adding an object here.
   */
  readonly switching:
    | {
        /** When the shown tree was last known to be what the other store had, in seconds since the epoch. */
        readonly asOf: number;
        /**
         * When this process last took a tree from this store, in seconds since the epoch; undefined if it
         * never did.
         */
        readonly followedAt: number | undefined;
        /**
         * Whether the other store never had the file under this path, so that the file was not deleted there.
         */
        readonly neverHad: (path: string) => boolean;
        /**
         * Whether two versions of equal size have the same bytes, though ETags and dates differ. Undefined if
         * no local content can be compared.
         */
        readonly hasSameBytes: (shown: ContentVersion, found: ContentVersion) => Promise<boolean | undefined>;
        /**
         * Whether an error of `hasSameBytes` concerns only that one object, so that the others can still be
         * compared.
         */
        readonly isRefusal: (error: unknown) => boolean;
      }
    | undefined;
}

/** The maximum number of contents that are compared at a time. */
const AT_A_TIME = 16;

/**
 * The tolerance in comparisons of dates. S3 dates an upload in parts at its beginning, and shows the object
 * at the end of the upload. A large copy to another store may arrive after a smaller copy that was made
 * later.
 */
const LATE_SECONDS = 600;

/**
 * Compares a listing with a tree that came from another store of the same objects, and finds the files that
 * would go back in time. No file may return to an earlier version, no file may vanish because this store does
 * not have it yet, and no deleted file may come back. The same bytes may have another ETag in another store
 * (uploads in parts, encryption). So size and date decide whether two versions are the same, or else their
 * bytes.
 */
export async function compareListings(options: CompareOptions): Promise<Comparison> {
  const { shown, found, known, switching } = options;
  const { generation, changes } = found;
  const same = new Map<string, SameObject>();
  const different = new Map<string, EtagPair>();
  let refusal: { readonly error: unknown } | undefined;
  let hasAnswered = false;
  const refused = (error: unknown): undefined => {
    if (switching?.isRefusal(error) !== true) throw error;
    refusal ??= { error };
  };
  const hasSameBytes = async (mine: ContentVersion, theirs: ContentVersion): Promise<boolean> => {
    const pair = { shown: mine.etag, found: theirs.etag };
    const before = known.different.get(theirs.path);
    if (before?.shown === pair.shown && before.found === pair.found) {
      different.set(theirs.path, pair);
      return false;
    }
    const isSame = await switching?.hasSameBytes(mine, theirs).catch(refused);
    if (isSame !== undefined) hasAnswered = true;
    if (isSame === false) different.set(theirs.path, pair);
    return isSame === true;
  };
  let back: GoesBack | undefined;
  const goesBack = (path: string, at: number, how: GoesBack['how']): void => {
    const files = (back?.files ?? 0) + 1;
    back = back === undefined || at > back.at ? { path, at, how, files } : { ...back, files };
  };
  await forEach(changes?.changed ?? [], async (index) => {
    if (generation.isDirectory(index)) return;
    const theirs = generation.version(index);
    const mine = shown.version(shown.find(theirs.path));
    if (isKnown(known.same.get(theirs.path), mine, theirs) || (await isSame(mine, theirs, hasSameBytes))) {
      same.set(theirs.path, { shown: mine, etag: theirs.etag, lastModified: theirs.lastModified });
    } else if (isEarlier(theirs, mine)) {
      goesBack(theirs.path, secondsOf(mine), 'older');
    }
  });
  // If the store refused every object that was compared, it is of no use, although it can be listed.
  if (refusal !== undefined && !hasAnswered) throw refusal.error;
  if (switching === undefined) return { same, different, back };
  // Objects that were written to the other store after `copiedTo` may not be copied yet, because copies
  // arrive in any order.
  const newest = newestOf(generation);
  const upTo = Math.min(newest, switching.followedAt ?? newest);
  const copiedTo = Math.max(upTo, newestInBoth(shown, found, same)) - LATE_SECONDS;
  for (const index of changes?.removed ?? []) {
    if (shown.isDirectory(index)) continue;
    const at = shown.lastModified(index);
    if (at > copiedTo) goesBack(shown.path(index), at, 'missing');
  }
  for (const index of changes?.added ?? []) {
    if (generation.isDirectory(index)) continue;
    const at = generation.lastModified(index);
    if (at === 0 || at >= switching.asOf - LATE_SECONDS) continue;
    const path = generation.path(index);
    if (!switching.neverHad(path)) goesBack(path, at, 'deleted-before');
  }
  return { same, different, back };
}

function isKnown(known: SameObject | undefined, mine: ContentVersion, theirs: ContentVersion): boolean {
  return known !== undefined && known.etag === theirs.etag && known.shown.etag === mine.etag;
}

async function isSame(
  mine: ContentVersion,
  theirs: ContentVersion,
  hasSameBytes: (mine: ContentVersion, theirs: ContentVersion) => Promise<boolean>,
): Promise<boolean> {
  if (mine.size !== theirs.size) return false;
  if (mine.lastModified !== undefined && mine.lastModified === theirs.lastModified) return true;
  return hasSameBytes(mine, theirs);
}

/**
 * Visits the indices, a limited number at a time. Stops at the first failure, and rejects with it when the
 * visits in progress have ended.
 */
async function forEach(indices: Iterable<number>, visit: (index: number) => Promise<void>): Promise<void> {
  const all = indices[Symbol.iterator]();
  let isOver = false;
  const work = async (): Promise<void> => {
    for (let next = all.next(); next.done !== true && !isOver; next = all.next()) {
      try {
        await visit(next.value);
      } catch (error) {
        isOver = true;
        throw error;
      }
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: AT_A_TIME }, work));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

function isEarlier(theirs: ContentVersion, mine: ContentVersion): boolean {
  return theirs.lastModified !== undefined && secondsOf(theirs) < secondsOf(mine);
}

function secondsOf({ lastModified = 0 }: ContentVersion): number {
  return lastModified / 1000;
}

/** Returns the newest date among the shown files that the found tree has with the same content. */
function newestInBoth(
  shown: Generation,
  { generation, changes }: CompareOptions['found'],
  same: ReadonlyMap<string, SameObject>,
): number {
  const missing = new Set(changes?.removed);
  for (const index of changes?.changed ?? []) {
    const path = generation.path(index);
    if (!same.has(path)) missing.add(shown.find(path));
  }
  return newestOf(shown, missing);
}

function newestOf(generation: Generation, leftOut: ReadonlySet<number> = new Set()): number {
  let newest = 0;
  for (let index = 1; index < generation.entries; index++) {
    if (!leftOut.has(index)) newest = Math.max(newest, generation.lastModified(index));
  }
  return newest;
}
