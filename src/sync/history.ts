import type { ReleaseStep } from '../source/source.ts';

/** One publication, as the history lists it. */
export interface HistoryEntry {
  readonly id: string;
  readonly number: number;
  /** Milliseconds since the epoch. */
  readonly publishedAt: number;
  readonly files: number;
  /** These three count files and empty directories, compared with the generation before; 0 for the first. */
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
  /** The step that put the generation in force, if the source is a release. */
  readonly release?: PastRelease | undefined;
}

/** The fields of a release step that the history keeps. */
export type PastRelease = Pick<ReleaseStep, 'sequence' | 'id' | 'author' | 'message'>;

/**
 * The maximum number of characters that are kept of author and of message, because each publication writes
 * the whole history.
 */
const MOST_CHARACTERS = 200;

export function pastReleaseOf({ sequence, id, author, message }: ReleaseStep): PastRelease {
  const [line = ''] = message.split('\n');
  return { sequence, id, author: author.slice(0, MOST_CHARACTERS), message: line.slice(0, MOST_CHARACTERS) };
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
