import type { ContentVersion, Generation } from '../../tree/index.ts';
import type { Built } from '../source.ts';

/** An object of one store that has the bytes of a file that is shown under another store's ETag. */
export interface SameObject {
  /** As it is shown. */
  readonly shown: ContentVersion;
  /** As this store has it. */
  readonly etag: string;
  /** Milliseconds since the epoch. */
  readonly lastModified: number | undefined;
}

/** What would go back in time, and how that is known. */
export interface GoesBack {
  readonly path: string;
  /** Whole seconds since the epoch: by the newest one it is named. */
  readonly at: number;
  readonly how: 'older' | 'missing' | 'deleted-before';
  /** How many there are, with this one. */
  readonly files: number;
}

/** Two versions of a path, by their ETags. */
interface EtagPair {
  readonly shown: string;
  readonly found: string;
}

/** What was found out about versions whose ETags differ, by path. */
export interface Compared {
  readonly same: ReadonlyMap<string, SameObject>;
  /** Of those whose bytes were compared. */
  readonly different: ReadonlyMap<string, EtagPair>;
}

export interface Comparison extends Compared {
  /** The newest; undefined: nothing goes back. */
  readonly back: GoesBack | undefined;
}

export interface CompareOptions {
  /** What is shown, from another store. */
  readonly shown: Generation;
  /** What this store has, compared with it. */
  readonly found: Pick<Built, 'generation' | 'changes'>;
  /** What was found out before. */
  readonly known: Compared;
  /**
   * Of the first comparison with a tree of another store; undefined: this store has been followed since, so that what
   * differs was changed, deleted or put there.
   */
  readonly switching:
    | {
        /** Until when the shown tree was what the other store had, seconds since the epoch. */
        readonly asOf: number;
        /** When this store was followed last, seconds since the epoch; undefined: this process never did. */
        readonly followedAt: number | undefined;
        /** Whether the other store never had a file of this store, so that it was not deleted there. */
        readonly neverHad: (path: string) => boolean;
        /**
         * Whether two versions of equal size have the same bytes, though ETags and dates differ; undefined: nothing is
         * local to compare.
         */
        readonly hasSameBytes: (shown: ContentVersion, found: ContentVersion) => Promise<boolean | undefined>;
      }
    | undefined;
}

/** Contents that are compared at a time. */
const AT_A_TIME = 16;

/**
 * An upload in parts has the date of its beginning, and S3 shows it when it has ended. A copy to another store arrives later
 * than one that was made after it, if it is larger.
 */
const LATE_SECONDS = 600;

/**
 * Compares a listing with a tree that came from another store of the same objects. ETags differ between stores for the
 * same bytes (uploads in parts, encryption): size and date, or the bytes themselves, tell. Nothing may go back in time:
 * no file to an earlier version, none away that this store has not got yet, none back that was deleted.
 */
export async function compareListings(options: CompareOptions): Promise<Comparison> {
  const { shown, found, known, switching } = options;
  const { generation, changes } = found;
  const same = new Map<string, SameObject>();
  const different = new Map<string, EtagPair>();
  const hasSameBytes = async (mine: ContentVersion, theirs: ContentVersion): Promise<boolean> => {
    const pair = { shown: mine.etag, found: theirs.etag };
    const before = known.different.get(theirs.path);
    const wasCompared = before?.shown === pair.shown && before.found === pair.found;
    const isSame = wasCompared ? false : await switching?.hasSameBytes(mine, theirs);
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
  if (switching === undefined) return { same, different, back };
  // What came to the other store since may not be copied yet, in whatever order copies arrive.
  const newest = newestOf(generation);
  const copiedTo = Math.min(newest, switching.followedAt ?? newest) - LATE_SECONDS;
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

/** Some at a time; ends at the first failure, and waits for those under way. */
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

function newestOf(generation: Generation): number {
  let newest = 0;
  for (let index = 1; index < generation.entries; index++) {
    newest = Math.max(newest, generation.lastModified(index));
  }
  return newest;
}
