/** A generation's number of files and until when it was shown. */
export interface PeakEntry {
  readonly files: number;
  /** Milliseconds since the epoch; null while it is shown. */
  readonly until: number | null;
}

const HOUR_MS = 3_600_000;

/**
 * Remembers the highest number of files of any generation in the last hour. The guard compares new trees with
 * it, so that a gradual deletion over several polls is held like a sudden one. It keeps only entries that can
 * still become the maximum, so their counts decrease. With at most one publication a second there are never
 * more than 3,600 entries.
 */
export class PeakFiles {
  #entries: PeakEntry[];

  constructor(entries: readonly PeakEntry[] = []) {
    this.#entries = [...entries];
  }

  /** Returns the maximum number of files that any generation had in the last hour; 0 if none was shown. */
  peak(now: number): number {
    this.#expire(now);
    return this.#entries[0]?.files ?? 0;
  }

  /** Records that a tree of `files` files is shown from `now` on. */
  record(files: number, now: number): void {
    const kept = this.#entries
      .map((entry) => ({ files: entry.files, until: entry.until ?? now }))
      .filter((entry) => entry.files > files);
    this.#entries = [...kept, { files, until: null }];
    this.#expire(now);
  }

  /** Returns the entries for persistence; the constructor takes them back. */
  entries(): readonly PeakEntry[] {
    return [...this.#entries];
  }

  #expire(now: number): void {
    // An end in the future was recorded before the clock stepped back: it counts for an hour from now.
    this.#entries = this.#entries
      .map((entry) => (entry.until !== null && entry.until > now ? { ...entry, until: now } : entry))
      .filter((entry) => entry.until === null || entry.until >= now - HOUR_MS);
  }
}
