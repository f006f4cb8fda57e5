import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { HintObserver } from '../source/hint.ts';
import type { WatchedKey } from '../source/source.ts';
import { codeOf } from './failure.ts';
import { isRefusal } from './unreadable/failed-object.ts';

/** A listing is due after this time even if the key is unchanged, because a writer may not update the key. */
const NET_MS = 600_000;

/**
 * Decides for each poll whether a listing is due. Compares the ETag of the watched key with the one seen
 * before the last listing began, so that a change of the key during a listing causes another listing.
 */
export class Watch {
  readonly #watched: WatchedKey;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #log: Logger;
  readonly #hinted: HintObserver;
  /** The ETag, and the time of the check, before the last listing that was used. */
  #listed: { readonly etag: string | undefined; readonly at: number } | undefined;
  #seen: { readonly etag: string | undefined; readonly at: number } | undefined;
  #missing = false;

  constructor(
    watched: WatchedKey,
    clock: Pick<Clock, 'now'>,
    log: Logger,
    hinted: HintObserver = () => undefined,
  ) {
    this.#watched = watched;
    this.#clock = clock;
    this.#log = log;
    this.#hinted = hinted;
  }

  /**
   * Checks the key, and returns whether a listing is due. If the key is missing or unreadable, every poll
   * lists.
   */
  async isDue(signal: AbortSignal): Promise<boolean> {
    const at = this.#clock.now();
    const known = this.#listed?.etag;
    try {
      const etag = (await this.#watched.look(known, signal)) ?? known;
      this.#tell(undefined);
      this.#seen = { etag, at };
      if (known !== undefined && etag !== known) this.#hinted('watched-key', 'taken');
      // A clock that stepped back must not disable this periodic listing.
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

  /** Call this when a listing that began after the last check was used. */
  listed(): void {
    this.#listed = this.#seen;
  }

  #tell(code: string | undefined): void {
    const { key } = this.#watched;
    if (code === undefined) {
      if (this.#missing) this.#log.info({ event: 'watched-key-found', key }, 'the watched key was found');
      this.#missing = false;
      return;
    }
    if (!this.#missing) {
      this.#log.warn(
        { event: 'watched-key-missing', key, code },
        'the watched key is missing or cannot be read; until it can, every poll lists the prefix',
      );
    }
    this.#missing = true;
  }
}
