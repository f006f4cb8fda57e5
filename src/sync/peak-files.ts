/** A generation's number of files and until when it was shown. */
export interface PeakEntry {
  readonly files: number;
  /** Milliseconds since the epoch; null while it is shown. */
  readonly until: number | null;
}

const HOUR_MS = 3_600_000;

/**
 * The most files that any generation of the last hour had. Against it the guard compares, so that a deletion that
 * goes on poll by poll is held like a sudden one. Only entries that can still be the most are kept: their counts
 * fall, and with at most one publication a second there are never more than 3,600.
 */
export class PeakFiles {
  #entries: PeakEntry[];

  constructor(entries: readonly PeakEntry[] = []) {
    this.#entries = [...entries];
  }

  /** The most of the last hour; 0 where nothing was shown. */
  peak(now: number): number {
    this.#expire(now);
    return this.#entries[0]?.files ?? 0;
  }

  /** From `now` on a tree of `files` is shown. */
  record(files: number, now: number): void {
    const kept = this.#entries
      .map((entry) => ({ files: entry.files, until: entry.until ?? now }))
      .filter((entry) => entry.files > files);
    this.#entries = [...kept, { files, until: null }];
    this.#expire(now);
  }

  /** For persistence; the constructor takes them back. */
  entries(): readonly PeakEntry[] {
    return [...this.#entries];
  }

  #expire(now: number): void {
    // An end that lies ahead is from before the clock stepped back: it counts for an hour from now on.
    this.#entries = this.#entries
      .map((entry) => (entry.until !== null && entry.until > now ? { ...entry, until: now } : entry))
      .filter((entry) => entry.until === null || entry.until >= now - HOUR_MS);
  }
}
