import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { WatchedKey } from '../source/source.ts';
import { codeOf } from './failure.ts';
import { isRefusal } from './unreadable/failed-object.ts';

/** A listing is due after so long, whatever the key says: somebody may write without changing it. */
const NET_MS = 600_000;

/**
 * Says of each poll whether a listing is due. What counts is the ETag that was seen before a listing began: a key
 * that changes while it is listed leads to another listing.
 */
export class Watch {
  readonly #watched: WatchedKey;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #log: Logger;
  /** Before the last listing that was made use of. */
  #listed: { readonly etag: string | undefined; readonly at: number } | undefined;
  #seen: { readonly etag: string | undefined; readonly at: number } | undefined;
  #missing = false;

  constructor(watched: WatchedKey, clock: Pick<Clock, 'now'>, log: Logger) {
    this.#watched = watched;
    this.#clock = clock;
    this.#log = log;
  }

  /** Looks at the key. A key that is not there, or cannot be read, makes every poll a listing. */
  async isDue(signal: AbortSignal): Promise<boolean> {
    const at = this.#clock.now();
    const known = this.#listed?.etag;
    try {
      const etag = (await this.#watched.look(known, signal)) ?? known;
      this.#tell(undefined);
      this.#seen = { etag, at };
      // A clock that stepped back must not put the net off.
      const since = this.#listed === undefined ? Number.POSITIVE_INFINITY : Math.abs(at - this.#listed.at);
      return etag === undefined || etag !== known || since >= NET_MS;
    } catch (error) {
      const code = codeOf(error);
      if (signal.aborted || (code !== 'gone' && !isRefusal(code))) throw error;
      this.#tell(code);
      this.#seen = { etag: undefined, at };
      return true;
    }
  }

  /** A listing that began after the last look was made use of. */
  listed(): void {
    this.#listed = this.#seen;
  }

  #tell(code: string | undefined): void {
    const { key } = this.#watched;
    if (code === undefined) {
      if (this.#missing) this.#log.info({ event: 'watched-key-found', key }, 'the watched key is there');
      this.#missing = false;
      return;
    }
    if (!this.#missing) {
      this.#log.warn(
        { event: 'watched-key-missing', key, code },
        'there is no watched key: every poll lists until there is',
      );
    }
    this.#missing = true;
  }
}
