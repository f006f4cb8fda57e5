import type { Logger } from '../base/logger.ts';
import type { Source } from '../source/source.ts';
import { EtagTrust } from '../store/etag-trust.ts';
import { ListedContent } from '../store/listed-content.ts';
import { Md5Trust } from '../store/md5-trust.ts';
import type { ObjectStore } from '../store/object-store.ts';
import type { ContentVersion, Generation } from '../tree/index.ts';
import { codeOf } from './failure.ts';
import { hasContent } from './prefetch-bound.ts';

/**
 * `own-listing-etags`: listings have other ETags than answers to GET. `no-md5-etags`: the ETags look like an
 * MD5, but are none.
 */
export type StoreTrait = 'own-listing-etags' | 'no-md5-etags';

/** Findings about the store's ETags, for code whose reads depend on them. */
export interface EtagFindings {
  /** Increases with each finding. After a finding, content that was unreadable before may be readable. */
  readonly revision: number;
  readonly traits: readonly StoreTrait[];
}

/** Stores the traits for the next process of this mount. */
export interface TraitsKeeper {
  readonly recall: () => readonly StoreTrait[];
  readonly keep: (traits: readonly StoreTrait[]) => void;
}

type ContentStore = Pick<ObjectStore, 'get' | 'getSmall'>;

/**
 * After a file was found to have another ETag than listed, one byte of up to this many other files is
 * fetched, so that the decision does not depend on readers.
 */
const SAMPLES = 3;
const SAMPLE_DEADLINE_MS = 5_000;
/** Larger objects are uploaded in parts, and so have no MD5 as their ETag. */
const LARGEST_WHOLE = 8 * 1024 * 1024;
/** Files are counted up to this number: no decision needs more. */
const MOST_COUNTED = 8;

/**
 * Determines how to interpret the ETags of one store. It observes all listings, the trees built from them, and all
 * content requests. A finding applies to every reader at once.
 */
export class EtagWitness implements EtagFindings {
  /** The findings about MD5s, for the store from which content is read. */
  readonly md5: Md5Trust;
  readonly #etags: EtagTrust;
  readonly #keeper: TraitsKeeper;
  readonly #log: Logger;
  #recalled = false;
  #listed: ListedContent | undefined;
  #tree: Generation | undefined;
  #revision = 0;

  constructor(keeper: TraitsKeeper, log: Logger) {
    this.#keeper = keeper;
    this.#log = log;
    this.#etags = new EtagTrust(() => this.#turned());
    this.md5 = new Md5Trust(() => this.#turned());
  }

  get revision(): number {
    return this.#revision;
  }

  get traits(): readonly StoreTrait[] {
    return [
      ...(this.#etags.own ? (['own-listing-etags'] as const) : []),
      ...(this.md5.trusted ? [] : (['no-md5-etags'] as const)),
    ];
  }

  /** Wraps a store, so that content is requested as it was listed. */
  content(store: ContentStore): ContentStore {
    const listed = new ListedContent(store, this.#etags);
    this.#listed = listed;
    return {
      get: (path, options) => {
        this.#recall();
        return listed.get(path, options);
      },
      // The short way needs listed ETags that are those of GET, and MD5s.
      getSmall: (path, request) => {
        this.#recall();
        return this.#etags.own || !this.md5.trusted ? undefined : store.getSmall(path, request);
      },
    };
  }

  /** Wraps a source, to observe its listings and trees. */
  over(source: Source): Source {
    return {
      kind: source.kind,
      look: async (options) => {
        if (this.#etags.noted.size > 0) await this.#sample(options.signal);
        const before = this.#etags.listing();
        const look = await source.look(options);
        if (look.kind === 'candidate') this.#etags.listed(look.candidate.digest, before);
        return look;
      },
      build: async (options) => {
        const built = await source.build(options);
        this.#shows(built.generation);
        return built;
      },
      accept: (digest, options) => source.accept(digest, options),
    };
  }

  /**
   * Reads the stored traits at the first request, not before: until a standby takes over, the server before
   * it may store more traits.
   */
  #recall(): void {
    if (this.#recalled) return;
    this.#recalled = true;
    const traits = this.#keeper.recall();
    if (traits.includes('own-listing-etags')) this.#etags.assumeOwn();
    if (traits.includes('no-md5-etags')) this.md5.assumeNone();
  }

  #turned(): void {
    this.#revision += 1;
    const { traits } = this;
    this.#keeper.keep(traits);
    this.#log.warn(
      { event: 'store-traits', traits },
      "dagmount changed its assumptions about the store's ETags",
    );
  }

  #shows(tree: Generation): void {
    this.#tree = tree;
    this.#etags.expect(filesOf(tree, MOST_COUNTED, () => true).length);
    this.md5.expect(filesOf(tree, MOST_COUNTED, ({ size }) => size <= LARGEST_WHOLE).length);
  }

  /** Fetches one byte of some other files, to compare their ETags with the listed ones. */
  async #sample(signal: AbortSignal): Promise<void> {
    const { noted } = this.#etags;
    const [tree, listed] = [this.#tree, this.#listed];
    if (tree === undefined || listed === undefined) return;
    const samples = filesOf(tree, SAMPLES, ({ path }) => !noted.has(path));
    for (const { path, etag, size, lastModified } of samples) {
      if (noted.size >= SAMPLES) return;
      const version = { ifMatch: etag, size, lastModified, range: { start: 0, end: 1 } };
      const how = { signal, priority: 'background', deadlineMs: SAMPLE_DEADLINE_MS } as const;
      try {
        await listed.compare(path, { ...version, ...how });
      } catch (error) {
        signal.throwIfAborted();
        // Ignore store failures: the reader or prefetch that needs the file will meet and report them.
        if (codeOf(error) === undefined) throw error;
      }
    }
  }
}

function filesOf(
  tree: Generation,
  most: number,
  isWanted: (version: ContentVersion) => boolean,
): readonly ContentVersion[] {
  const found: ContentVersion[] = [];
  for (let index = 1; index < tree.entries && found.length < most; index++) {
    if (!hasContent(tree, index)) continue;
    const version = tree.version(index);
    if (isWanted(version)) found.push(version);
  }
  return found;
}
