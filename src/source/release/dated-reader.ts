import type { Clock } from '../../base/clock.ts';
import type { StoreClock } from '../../store/store-clock.ts';
import type { ReaderAnswer, ReadOptions, ReleaseReader } from './release-reader.ts';

/** Wraps a reader, and passes the time of each answer to the store's clock. */
export class DatedReader implements ReleaseReader {
  readonly #reader: ReleaseReader;
  readonly #storeClock: StoreClock;
  readonly #clock: Pick<Clock, 'now'>;

  constructor(reader: ReleaseReader, storeClock: StoreClock, clock: Pick<Clock, 'now'>) {
    this.#reader = reader;
    this.#storeClock = storeClock;
    this.#clock = clock;
  }

  async read(key: string, options: ReadOptions): Promise<ReaderAnswer> {
    const sent = this.#clock.now();
    const answer = await this.#reader.read(key, options);
    const { date } = answer;
    if (date !== undefined) this.#storeClock.observe({ sent, received: this.#clock.now(), date });
    return answer;
  }
}
