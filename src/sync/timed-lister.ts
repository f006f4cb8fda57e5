import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import { startAlarm } from '../base/waiting.ts';
import type { Built, Listed, Lister } from '../source/source.ts';
import type { SyncNotice } from './notice.ts';

export interface ListingView {
  /** How long the listing that is under way has taken, or else the last one took; undefined before the first. */
  readonly milliseconds: number | undefined;
  /** Whether that is longer than a listing should take. */
  readonly isSlow: boolean;
}

/** A million objects at 30 ms a page take half of it, one page after the other (bench/listing.ts). */
const SLOW_MS = 60_000;

/**
 * A lister that says when a listing takes long: no change is shown before it has ended, however well the store answers
 * each of its requests. It stays slow until a listing is quick.
 */
export class TimedLister implements Lister {
  readonly #lister: Lister;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #notice: (notice: SyncNotice) => void;
  #beganAt: number | undefined;
  #lastMs: number | undefined;
  #isSlow = false;

  constructor(
    lister: Lister,
    clock: Clock,
    log: Logger,
    notice: (notice: SyncNotice) => void = () => undefined,
  ) {
    this.#lister = lister;
    this.#clock = clock;
    this.#log = log;
    this.#notice = notice;
  }

  get view(): ListingView {
    const milliseconds = this.#beganAt === undefined ? this.#lastMs : this.#since(this.#beganAt);
    return { milliseconds, isSlow: this.#isSlow };
  }

  async list(options: Parameters<Lister['list']>[0]): Promise<Listed> {
    const beganAt = this.#clock.now();
    this.#beganAt = beganAt;
    const alarm = startAlarm(this.#clock, SLOW_MS, () => this.#warn(beganAt));
    let isSlow = true;
    try {
      const listed = await this.#lister.list(options);
      isSlow = this.#since(beganAt) >= SLOW_MS;
      return listed;
    } finally {
      void alarm.stop();
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

  build(options: Parameters<Lister['build']>[0]): Promise<Built> {
    return this.#lister.build(options);
  }

  #warn(beganAt: number): void {
    if (this.#isSlow) return;
    this.#isSlow = true;
    this.#log.warn(
      { event: 'source-slow', since: beganAt, seconds: SLOW_MS / 1000 },
      'listing the source takes long: no change is shown before it has ended',
    );
    this.#notice({ kind: 'source-slow', since: beganAt });
  }

  /** A clock that stepped back counts as one that stands still. */
  #since(at: number): number {
    return Math.max(0, this.#clock.now() - at);
  }
}
