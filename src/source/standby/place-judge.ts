import type { Clock } from '../../base/clock.ts';
import type { ContentStore } from '../../cache/receive.ts';
import type { AdoptedObjects, ContentVersion, Generation } from '../../tree/index.ts';
import type {
  BuildOptions,
  Built,
  Candidate,
  HeldListing,
  Look,
  ReleaseStep,
  Source,
  SourceHold,
} from '../source.ts';
import { type Compared, compareListings, type SameObject } from './compare-listings.ts';
import { behindHold, olderStepHold } from './going-back.ts';

/** One of several stores of the same objects, or of the same release root. */
export interface Place {
  /** `s3://BUCKET/PREFIX/` */
  readonly name: string;
  readonly source: Source;
  readonly content: ContentStore;
}

/** Records whether the shown tree came from a standby; the record outlives the process. */
export interface FollowedStandby {
  recall(): boolean;
  /** `source` is the name of the standby; undefined if the tree came from the first source. */
  keep(source: string | undefined): void;
}

export interface PlaceJudgeOptions {
  readonly first: Place;
  readonly followed: FollowedStandby;
  /** The shown tree. */
  readonly shown: () =>
    | {
        readonly generation: Generation;
        /** Milliseconds since the epoch. */
        readonly publishedAt: number;
        readonly release?: ReleaseStep | undefined;
      }
    | undefined;
  /** Whether a store has the shown bytes under another ETag and date; undefined if no local content can be compared. */
  readonly hasSameBytes: (
    shown: ContentVersion,
    found: ContentVersion,
    content: ContentStore,
    signal: AbortSignal,
  ) => Promise<boolean | undefined>;
  /** Whether an error of `hasSameBytes` concerns only that one object. */
  readonly isRefusal: (error: unknown) => boolean;
  readonly clock: Pick<Clock, 'now'>;
}

/**
 * The first node id of a tree that is built for comparison only and never shown: above every node id of shown
 * trees.
 */
const SCRATCH_NODE_ID = 2 ** 50;

interface Judged extends Compared {
  readonly digest: string;
  /** Compared in addition to the digest, which does not cover dates: dates decide what goes back in time. */
  readonly dates: string | undefined;
  readonly shown: string | undefined;
  readonly hold: SourceHold | undefined;
  /**
   * Whether an operator ended the hold. This applies to the listing with this digest, whatever its dates are.
   */
  readonly isAccepted: boolean;
  /** The trees that were compared, if a listing is held; undefined otherwise. */
  readonly trees?: ComparedTrees | undefined;
}

const NOTHING_COMPARED: Compared = { same: new Map(), different: new Map() };

interface ComparedTrees {
  readonly shown: Generation;
  readonly found: Generation;
}

/** Looks at several stores of the same objects, and judges what each has by comparing it with what is shown. */
export class PlaceJudge {
  readonly #options: PlaceJudgeOptions;
  readonly #judged = new Map<Place, Judged>();
  /**
   * The store whose listing was followed last, from which the shown tree comes. Undefined if the tree comes
   * from a standby that an earlier process followed.
   */
  #settled: Place | undefined;
  /** For each store, when the last look began whose result was followed, in milliseconds since the epoch. */
  readonly #followedAt = new Map<Place, number>();
  /** Whether a standby was ever followed, so that files may be shown under the ETags of another store. */
  #wasAway = false;
  /**
   * The shown tree, and the tree of the listing, when an operator accepted a listing that goes back in time.
   * Kept until trees come from the first source again.
   */
  #wentBack: ComparedTrees | undefined;
  /** The digest of the step that an operator accepted. */
  #acceptedStep: string | undefined;

  constructor(options: PlaceJudgeOptions) {
    this.#options = options;
    this.#wasAway = options.followed.recall();
    this.#settled = this.#wasAway ? undefined : options.first;
  }

  /** Whether this judge made the hold; if not, the source of the place made it. */
  isBehind(place: Place, hold: SourceHold): boolean {
    return this.#judged.get(place)?.hold === hold;
  }

  /** Returns the objects of a place whose bytes are shown under another ETag, by path. */
  sameOf(place: Place): ReadonlyMap<string, SameObject> {
    return this.#judged.get(place)?.same ?? new Map();
  }

  /**
   * Builds the tree of a candidate, at the place that returned it. Files whose bytes are already shown keep
   * the ETags under which they are shown.
   */
  build(options: BuildOptions, active: Place): Promise<Built> {
    const isOf = (place: Place): boolean => this.#judged.get(place)?.digest === options.digest;
    const place = isOf(active) ? active : ([...this.#judged.keys()].find(isOf) ?? active);
    const same = this.sameOf(place);
    if (same.size === 0) return place.source.build(options);
    return place.source.build({ ...options, adopted: merged(same, options.adopted) });
  }

  /** Looks at a place. Returns a hold if the shown tree would go back in time. */
  async look(place: Place, signal: AbortSignal): Promise<Look> {
    const beganAt = this.#options.clock.now();
    const look = await place.source.look({ signal });
    if (look.kind !== 'candidate') return look;
    const isFirst = place === this.#options.first;
    // Nothing from another store is shown, so there is nothing to compare.
    const isPlain = isFirst && this.#settled === place && !this.#wasAway;
    const hold = isPlain ? undefined : await this.#judge(place, look.candidate, signal);
    if (hold !== undefined) return { kind: 'held', hold };
    if (place !== this.#settled) this.#options.followed.keep(isFirst ? undefined : place.name);
    this.#settled = place;
    this.#followedAt.set(place, beganAt);
    if (isFirst) this.#wentBack = undefined;
    if (!isFirst) this.#wasAway = true;
    return look;
  }

  /**
   * Ends a hold that this judge, or the source of the place, has made: an operator wants what the place has,
   * although it is behind. Returns whether there was such a hold that could be accepted.
   */
  async accept(place: Place, digest: string, options: { readonly signal: AbortSignal }): Promise<boolean> {
    const judged = this.#judged.get(place);
    if (judged?.hold === undefined || judged.digest !== digest) {
      const isAccepted = await place.source.accept(digest, options);
      // If this step is earlier than the shown one, this judge would hold it as well: the operator need not
      // accept it twice.
      if (isAccepted) this.#acceptedStep = digest;
      return isAccepted;
    }
    this.#wentBack = judged.trees;
    this.#judged.set(place, { ...judged, hold: undefined, isAccepted: true, trees: undefined });
    return true;
  }

  async #judge(place: Place, candidate: Candidate, signal: AbortSignal): Promise<SourceHold | undefined> {
    const { shown: shownNow, hasSameBytes, isRefusal } = this.#options;
    const shown = shownNow();
    const { digest, dates, release } = candidate;
    const before = this.#judged.get(place);
    const isSettled = this.#settled === place;
    // A judgement is about the tree that was shown then. Once a tree of another store is shown, a listing
    // that passed may go back in time, and one that was held may pass.
    if (before?.digest === digest && (before.dates === dates || before.isAccepted)) {
      if (before.shown === shown?.generation.id || (isSettled && before.hold === undefined))
        return before.hold;
    }
    const judge = (
      hold: SourceHold | undefined,
      { same, different }: Compared = NOTHING_COMPARED,
      trees?: ComparedTrees,
    ): typeof hold => {
      const isAccepted = false;
      const judgedBy = { digest, dates, shown: shown?.generation.id };
      this.#judged.set(place, { ...judgedBy, same, different, hold, isAccepted, trees });
      return hold;
    };
    if (shown === undefined) return judge(undefined);
    if (release !== undefined) {
      const isAccepted = digest === this.#acceptedStep;
      return judge(isAccepted ? undefined : olderStepHold(candidate, shown.release, place.name));
    }
    const found = await place.source.build({
      digest,
      previous: shown.generation,
      removedDirectories: new Map(),
      nextNodeId: SCRATCH_NODE_ID,
      signal,
    });
    const { back, ...compared } = await compareListings({
      shown: shown.generation,
      found,
      known: before ?? NOTHING_COMPARED,
      switching: isSettled
        ? undefined
        : {
            asOf: this.#followedSeconds(this.#settled) ?? shown.publishedAt / 1000,
            followedAt: this.#followedSeconds(place),
            neverHad: (path) => this.#isLacking(path),
            hasSameBytes: (mine, theirs) => hasSameBytes(mine, theirs, place.content, signal),
            isRefusal: (error) => !signal.aborted && isRefusal(error),
          },
    });
    // While trees come from the first store, a change in that store is never held here.
    const isFree = isSettled && place === this.#options.first;
    if (back === undefined || isFree) return judge(undefined, compared);
    const listing = heldListing(digest, shown.generation, found);
    const trees = { shown: shown.generation, found: found.generation };
    return judge(behindHold(back, listing, place.name), compared, trees);
  }

  #followedSeconds(place: Place | undefined): number | undefined {
    const at = place && this.#followedAt.get(place);
    return at === undefined ? undefined : at / 1000;
  }

  /**
   * Returns whether an operator accepted a listing without this file, although the tree that was shown at
   * that time had the file.
   */
  #isLacking(path: string): boolean {
    if (this.#wentBack === undefined) return false;
    const { shown, found } = this.#wentBack;
    return shown.find(path) !== -1 && found.find(path) === -1;
  }
}

function heldListing(digest: string, shown: Generation, { generation, changes }: Built): HeldListing {
  let removed = 0;
  for (const index of changes?.removed ?? []) if (!shown.isDirectory(index)) removed += 1;
  return { digest, files: generation.files, removed };
}

/**
 * Joins the objects that keep their shown ETags with the adopted ones. For a path with both, takes the
 * adopted object, because a fetch found it later.
 */
function merged(same: ReadonlyMap<string, SameObject>, adopted: AdoptedObjects | undefined): AdoptedObjects {
  const all = new Map<string, Exclude<ReturnType<AdoptedObjects['get']>, undefined>>();
  for (const [path, { shown, lastModified }] of same) {
    const date = shown.lastModified ?? lastModified ?? Number.NaN;
    all.set(path, { etag: shown.etag, size: shown.size, lastModified: date });
  }
  for (const [path, object] of adopted ?? []) all.set(path, object);
  return all;
}
