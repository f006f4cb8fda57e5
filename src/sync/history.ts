/** One publication, as the history lists it. */
export interface HistoryEntry {
  readonly id: string;
  readonly number: number;
  /** Milliseconds since the epoch. */
  readonly publishedAt: number;
  readonly files: number;
  /** Files, and directories that are empty, against the generation before; 0 for the first. */
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
}

const KEPT = 50;

/** The last 50 publications, the oldest first. */
export class History {
  readonly entries: readonly HistoryEntry[];

  constructor(entries: readonly HistoryEntry[] = []) {
    this.entries = Object.freeze(entries.slice(-KEPT));
  }

  with(entry: HistoryEntry): History {
    return new History([...this.entries, Object.freeze(entry)]);
  }
}
