import type { LogLineAt } from '../../base/log-events.ts';
import { buildGeneration, type FilterPatterns, type ListedObjects, PathFilter } from '../../tree/index.ts';
import {
  type BuildOptions,
  type Built,
  type Candidate,
  type Look,
  NoCandidate,
  type ReleaseStep,
  type Source,
  type SourceHold,
} from '../source.ts';
import type { Step } from './judge-step.ts';
import { columnsOf } from './manifest-columns.ts';
import { holdOf, RefHeld } from './ref-hold.ts';
import { type BelievedRelease, type Meanwhile, RefWatch, type RefWatchOptions } from './ref-watch.ts';
import type { ReleaseReader } from './release-reader.ts';

export interface ReleaseSourceOptions extends RefWatchOptions {
  readonly patterns: FilterPatterns;
  readonly salt: bigint;
  readonly log: (notice: LogLineAt<'info'>, message: string) => void;
}

/** A release that passed all checks, with the data from which its tree is built. */
interface Known {
  readonly candidate: Candidate;
  readonly objects: ListedObjects;
}

/** A larger difference between the clocks of host and store is logged. */
const WARNED_SKEW_MS = 2_000;

/** Shows the release that an environment's ref points to. */
export class ReleaseSource implements Source {
  readonly kind = 'release';
  readonly #watch: RefWatch;
  readonly #options: ReleaseSourceOptions;
  readonly #filter: PathFilter;
  readonly #reader: CountingReader;
  /** The release in force, by the last look that was not held. */
  #inForce: Known | undefined;
  #armed: { readonly known: Known; readonly instant: number } | undefined;
  /**
   * The hold on the release that is in force until the instant of the armed one; undefined if that release is
   * not held.
   */
  #heldMeanwhile: SourceHold | undefined;
  #toldSkew = false;

  constructor(options: ReleaseSourceOptions) {
    this.#options = options;
    this.#reader = new CountingReader(options.reader);
    this.#watch = new RefWatch({ ...options, reader: this.#reader });
    this.#filter = PathFilter.compile(options.patterns);
  }

  async look(options: { readonly signal: AbortSignal }): Promise<Look> {
    return { ...(await this.#look(options)), isStepUnkept: this.#options.memory.isUnkept };
  }

  async #look({ signal }: { readonly signal: AbortSignal }): Promise<Look> {
    this.#reader.requests = 0;
    const looked = await this.#watch.look(signal);
    this.#tellSkew();
    try {
      switch (looked.kind) {
        case 'unchanged':
          break;
        case 'release':
          this.#become(this.#known(looked.release));
          break;
        case 'armed':
          this.#take(looked.meanwhile);
          this.#armed = { known: this.#known(looked.release), instant: looked.instant };
          break;
        case 'due':
          this.#become(this.#armed?.known);
          break;
        case 'held':
          // If the armed release is still valid after the hold, the next look returns it again.
          this.#armed = undefined;
          this.#heldMeanwhile = undefined;
          return { kind: 'held', hold: holdOf(looked.hold) };
        default:
          return looked satisfies never;
      }
    } catch (error) {
      if (!(error instanceof RefHeld)) throw error;
      // Makes the next look return the release again, because this one could not be used.
      this.#watch.forget();
      return { kind: 'held', hold: holdOf(error.hold) };
    }
    return this.#shown();
  }

  async build({ digest, ...options }: BuildOptions): Promise<Built> {
    const known = [this.#inForce, this.#armed?.known].find((each) => each?.candidate.digest === digest);
    if (known === undefined) throw new NoCandidate(digest);
    return buildGeneration({
      ...options,
      objects: known.objects,
      filter: this.#filter,
      salt: this.#options.salt,
      now: this.#options.clock.now(),
    });
  }

  accept(digest: string): Promise<boolean> {
    return this.#watch.accept(digest);
  }

  #shown(): Look {
    const armed = this.#armed && {
      candidate: this.#armed.known.candidate,
      at: this.#armed.instant - this.#watch.storeClock.offset,
    };
    if (this.#heldMeanwhile !== undefined) return { kind: 'held', hold: this.#heldMeanwhile, armed };
    if (this.#inForce === undefined) return { kind: 'nothing', armed };
    return { kind: 'candidate', candidate: this.#inForce.candidate, armed };
  }

  #become(known: Known | undefined): void {
    this.#inForce = known ?? this.#inForce;
    this.#armed = undefined;
    this.#heldMeanwhile = undefined;
  }

  #take(meanwhile: Meanwhile): void {
    this.#heldMeanwhile = undefined;
    switch (meanwhile.kind) {
      case 'unchanged':
        break;
      case 'release':
        this.#inForce = this.#known(meanwhile.release);
        break;
      case 'nothing':
        this.#inForce = undefined;
        break;
      case 'held':
        this.#heldMeanwhile = holdOf(meanwhile.hold);
        break;
      default:
        meanwhile satisfies never;
    }
  }

  #known({ step, manifest }: BelievedRelease): Known {
    const { created } = step.payload;
    const candidate = {
      digest: step.digest,
      objects: manifest.files.length,
      requests: this.#reader.requests,
      release: stepOf(step),
    };
    return { candidate, objects: columnsOf(manifest, created) };
  }

  #tellSkew(): void {
    const { offset, uncertainty } = this.#watch.storeClock;
    const isSkewed = Math.abs(offset) - uncertainty > WARNED_SKEW_MS;
    if (isSkewed && !this.#toldSkew) {
      this.#options.log(
        { event: 'clock-skew', seconds: Math.round(offset / 1000) },
        "this host's clock differs from the store's; releases with a start time are shown by the store's clock",
      );
    }
    this.#toldSkew = isSkewed;
  }
}

/** Counts the requests of one look. */
class CountingReader implements ReleaseReader {
  requests = 0;
  readonly #reader: ReleaseReader;

  constructor(reader: ReleaseReader) {
    this.#reader = reader;
  }

  read(...request: Parameters<ReleaseReader['read']>): ReturnType<ReleaseReader['read']> {
    this.requests += 1;
    return this.#reader.read(...request);
  }
}

function stepOf({ payload, signedBy }: Step): ReleaseStep {
  const { environment, sequence, release, author, message, commit, url, created, allowDeletions } = payload;
  return {
    ref: environment,
    sequence,
    id: release,
    author,
    message,
    commit,
    url,
    created,
    signedBy: signedBy.map(({ fingerprint, principals }) => ({ fingerprint, principals })),
    allowsDeletions: allowDeletions,
  };
}
