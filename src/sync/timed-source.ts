import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import { startAlarm } from '../base/waiting.ts';
import type { BuildOptions, Built, Look, Source, SourceKind } from '../source/source.ts';
import type { SyncNotice } from './notice.ts';

export interface ListingView {
  /** How long the current listing has taken, or else the last one took; undefined before the first. */
  readonly milliseconds: number | undefined;
  /** Whether listings take longer than normal: see TimedSource. */
  readonly isSlow: boolean;
}

/**
 * A listing that takes this long is slow. A million objects at 30 ms a page take half of this time, one page
 * after the other (bench/listing.ts).
 */
const SLOW_MS = 60_000;

/**
 * Wraps a source, and reports a slow listing, because no change is shown before the listing ends, however
 * fast each request is. The source counts as slow until a listing is fast.
 */
export class TimedSource implements Source {
  readonly kind: SourceKind;
  readonly #source: Source;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #notice: (notice: SyncNotice) => void;
  #beganAt: number | undefined;
  #lastMs: number | undefined;
  #isSlow = false;

  constructor(
    source: Source,
    clock: Clock,
    log: Logger,
    notice: (notice: SyncNotice) => void = () => undefined,
  ) {
    this.kind = source.kind;
    this.#source = source;
    this.#clock = clock;
    this.#log = log;
    this.#notice = notice;
  }

  get view(): ListingView {
    const milliseconds = this.#beganAt === undefined ? this.#lastMs : this.#since(this.#beganAt);
    return { milliseconds, isSlow: this.#isSlow };
  }

  async look(options: { readonly signal: AbortSignal }): Promise<Look> {
    const askedAt = this.#clock.now();
    this.#beganAt = askedAt;
    let beganAt = askedAt;
    const alarm = startAlarm(this.#clock, SLOW_MS, () => this.#warn(askedAt));
    let isSlow = true;
    try {
      const look = await this.#source.look(options);
      beganAt = look.beganAt ?? askedAt;
      isSlow = this.#since(beganAt) >= SLOW_MS;
      return look;
    } finally {
      alarm.stop();
      this.#beganAt = undefined;
      this.#lastMs = this.#since(beganAt);
      if (this.#isSlow && !isSlow) {
        this.#isSlow = false;
        this.#log.info(
          { event: 'source-quick', seconds: this.#lastMs / 1000 },
          'listing the source is quick again',
        );
      }
    }
  }

  build(options: BuildOptions): Promise<Built> {
    return this.#source.build(options);
  }

  accept(digest: string, options: { readonly signal: AbortSignal }): Promise<boolean> {
    return this.#source.accept(digest, options);
  }

  #warn(beganAt: number): void {
    if (this.#isSlow) return;
    this.#isSlow = true;
    this.#log.warn(
      { event: 'source-slow', since: beganAt, seconds: SLOW_MS / 1000 },
      'listing the source takes long; no change is shown until the listing has ended',
    );
    this.#notice({ kind: 'source-slow', since: beganAt });
  }

  /** Returns the milliseconds since `at`; 0 if the clock stepped back. */
  #since(at: number): number {
    return Math.max(0, this.#clock.now() - at);
  }
}
