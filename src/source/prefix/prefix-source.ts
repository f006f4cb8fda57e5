import { SignedHttp, type SignedHttpOptions } from '../../store/http/signed-http.ts';
import { createFetchPage } from '../../store/listing/fetch-page.ts';
import { type Listing, type ListingNotice, PrefixLister } from '../../store/listing/listing.ts';
import {
  buildGeneration,
  digestDates,
  digestListing,
  type FilterPatterns,
  PathFilter,
  PatternList,
} from '../../tree/index.ts';
import { type BuildOptions, type Built, type Look, NoCandidate, type Source } from '../source.ts';

export interface PrefixSourceOptions extends SignedHttpOptions {
  /** `executable`: the patterns of files that have the execute bits. */
  readonly patterns: FilterPatterns & { readonly executable: readonly string[] };
  readonly salt: bigint;
  readonly log: (notice: ListingNotice, message: string) => void;
}

/** Shows the current objects below a prefix of a bucket. */
export class PrefixSource implements Source {
  readonly kind = 'prefix';
  readonly #lister: PrefixLister;
  readonly #filter: PathFilter;
  readonly #executable: PatternList | undefined;
  readonly #salt: bigint;
  /** The listing that `build` uses, until the next listing begins. */
  #newest: { readonly digest: string; readonly objects: Listing } | undefined;

  constructor(options: PrefixSourceOptions) {
    const { target, patterns, salt, log } = options;
    this.#lister = new PrefixLister({
      prefix: target.prefix,
      fetchPage: createFetchPage({ http: new SignedHttp(options) }),
      log,
    });
    this.#filter = PathFilter.compile(patterns);
    this.#executable = PatternList.compile(patterns.executable);
    this.#salt = salt;
  }

  async look({ signal }: { readonly signal: AbortSignal }): Promise<Look> {
    this.#newest = undefined;
    const objects = await this.#lister.list({ signal });
    const digest = digestListing(objects);
    this.#newest = { digest, objects };
    return {
      kind: 'candidate',
      candidate: {
        digest,
        dates: digestDates(objects),
        objects: objects.count,
        requests: objects.requests,
      },
    };
  }

  async build({ digest, ...options }: BuildOptions): Promise<Built> {
    if (this.#newest?.digest !== digest) throw new NoCandidate(digest);
    return buildGeneration({
      ...options,
      objects: this.#newest.objects,
      filter: this.#filter,
      executable: this.#executable,
      salt: this.#salt,
      now: Date.now(),
    });
  }

  /** Returns false: this source never holds a listing, so there is none to accept. */
  async accept(): Promise<boolean> {
    return false;
  }
}
