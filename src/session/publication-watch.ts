import { setTimeout as delay } from 'node:timers/promises';
import type { LockHolder } from './kernel/lock-holders.ts';
import type { StuckNotification } from './messages.ts';

/** A publication that is blocked in the kernel because a process holds the lock of a changed directory. */
export interface StuckPublication {
  /** Milliseconds since the epoch. */
  readonly since: number;
  /** The path below the mount point: '' for the mount point itself, undefined if unknown. */
  readonly directory: string | undefined;
  /** The threads that hold the lock, as far as this process may see them. */
  readonly holders: readonly LockHolder[];
}

export interface PublicationWatchOptions {
  readonly log: {
    info(fields: object, message: string): void;
    error(fields: object, message: string): void;
  };
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Finds the threads that hold the lock of this directory of the mount. */
  readonly findHolders: (nodeId: number, signal: AbortSignal) => Promise<readonly LockHolder[]>;
  /** Called when a publication is stuck, and with undefined when it no longer is. */
  readonly onChange: (stuck: StuckPublication | undefined) => void;
  readonly searchMs?: number;
  readonly everyMs?: number;
}

/**
 * Time limit of the first search. A search takes some milliseconds for a thousand threads of a host that is
 * not busy.
 */
const SEARCH_MS = 1_000;
/**
 * The longest time limit. After a search that reached its limit, the next search gets twice that limit, but
 * at most this one.
 */
const LONGEST_SEARCH_MS = 32_000;
/** The pause between searches. They are repeated, because another process may hold the lock by then. */
const EVERY_MS = 10_000;
const HINT =
  'Kill the processes that hold it (SIGKILL); publications then continue. Other directories stay readable.';

/** Reports that a publication is stuck in the kernel, and which processes block it. */
export class PublicationWatch {
  readonly #options: PublicationWatchOptions;
  #stuck: StuckPublication | undefined;
  #over: AbortController | undefined;
  /** The current search. There is at most one, because a hung search occupies a thread of libuv's pool. */
  #searching: Promise<unknown> | undefined;

  constructor(options: PublicationWatchOptions) {
    this.#options = options;
  }

  get stuck(): StuckPublication | undefined {
    return this.#stuck;
  }

  /** The session calls this when a publication is stuck, and with undefined when it no longer is. */
  readonly tell = (stuck: StuckNotification | undefined): void => {
    if (stuck === undefined) this.#freed();
    else this.#begin(stuck);
  };

  /** Stops searching. */
  stop(): void {
    this.#over?.abort();
  }

  #begin({ nodeId, path }: StuckNotification): void {
    // A report that directly follows another belongs to the same publication, but to another directory. So
    // `since` stays.
    this.#over?.abort();
    const over = new AbortController();
    this.#over = over;
    const since = this.#stuck?.since ?? this.#options.now();
    this.#stuck = { since, directory: path, holders: [] };
    void this.#search(nodeId, over.signal);
  }

  async #search(nodeId: number, over: AbortSignal): Promise<void> {
    const { searchMs = SEARCH_MS, everyMs = EVERY_MS, log, onChange } = this.#options;
    // One listener serves all searches, because a reader may hold its directory's lock for hours.
    const given = aborted(over);
    let told: string | undefined;
    let limit = searchMs;
    while (!over.aborted) {
      const late = AbortSignal.any([over, AbortSignal.timeout(limit)]);
      // A search that ends at its limit still returns the threads that it found before. If a search hangs,
      // the loop continues without it after twice the limit.
      const hung = aborted(AbortSignal.timeout(2 * limit));
      const holders = await Promise.race([this.#find(nodeId, late), hung, given]);
      if (over.aborted || this.#stuck === undefined) return;
      if (late.aborted) limit = Math.min(2 * limit, LONGEST_SEARCH_MS);
      this.#stuck = { ...this.#stuck, holders };
      const names = JSON.stringify(holders);
      if (names !== told) {
        told = names;
        const { directory } = this.#stuck;
        log.error(
          { event: 'publication-stuck', directory, holders },
          `a process blocks a publication in the kernel. ${HINT}`,
        );
        onChange(this.#stuck);
      }
      const pause = delay(everyMs, undefined, { signal: over, ref: false }).catch(() => undefined);
      await Promise.race([Promise.all([this.#searching, pause]), given]);
    }
  }

  async #find(nodeId: number, signal: AbortSignal): Promise<readonly LockHolder[]> {
    await this.#searching;
    if (signal.aborted) return [];
    const search = this.#options.findHolders(nodeId, signal).catch(() => []);
    this.#searching = search;
    const holders = await search;
    this.#searching = undefined;
    return holders;
  }

  #freed(): void {
    this.#over?.abort();
    this.#over = undefined;
    if (this.#stuck === undefined) return;
    const seconds = Math.max(0, this.#options.now() - this.#stuck.since) / 1000;
    this.#stuck = undefined;
    this.#options.log.info(
      { event: 'publication-freed', seconds },
      'publications are no longer blocked in the kernel',
    );
    this.#options.onChange(undefined);
  }
}

function aborted(signal: AbortSignal): Promise<readonly LockHolder[]> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve([]);
    else signal.addEventListener('abort', () => resolve([]), { once: true });
  });
}
