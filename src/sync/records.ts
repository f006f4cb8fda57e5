import type { Built, ReleaseStep } from '../source/source.ts';
import { ChangeLog } from './change-log.ts';
import { NO_CHANGES, type PackedChanges } from './changed-paths.ts';
import { History, type HistoryEntry, pastReleaseOf } from './history.ts';
import type { NextRecords } from './next-records.ts';
import { PeakFiles } from './peak-files.ts';
import type { Restored } from './restored.ts';

/** Node id 1 is the root. */
const FIRST_NODE_ID = 2;

/** Counters that continue from publication to publication, and survive the process if state is persisted. */
export class Records {
  #number: number;
  #nextNodeId: number;
  #lastSecond: number;
  #peaks: PeakFiles;
  #history: History;
  #changeLog: ChangeLog;

  constructor(restored: Partial<Restored> = {}) {
    this.#number = restored.generation?.number ?? 0;
    this.#nextNodeId = restored.nextNodeId ?? FIRST_NODE_ID;
    this.#lastSecond = restored.lastSecond ?? 0;
    this.#peaks = new PeakFiles(restored.peaks);
    this.#history = new History(restored.history);
    this.#changeLog = restored.changeLog ?? ChangeLog.empty;
  }

  /** The lowest node id that was never used; no higher one was used either. */
  get nextNodeId(): number {
    return this.#nextNodeId;
  }

  /** The whole second of the last publication. */
  get lastSecond(): number {
    return this.#lastSecond;
  }

  get history(): readonly HistoryEntry[] {
    return this.#history.entries;
  }

  get changeLog(): ChangeLog {
    return this.#changeLog;
  }

  /** The maximum number of files that any generation of the last hour had. */
  peak(now: number): number {
    return this.#peaks.peak(now);
  }

  /**
   * Returns the records to persist before `built` is shown.
   *
   * @param paths the changed paths; undefined for the first tree
   * @param accepted whether the guard is to ignore earlier trees
   * @param release the step that puts the tree in force, if the source is a release
   */
  next(
    built: Built,
    paths: PackedChanges | undefined,
    accepted: boolean,
    now: number,
    release?: ReleaseStep,
  ): NextRecords {
    const { generation, nextNodeId } = built;
    const { added, changed, removed } = paths ?? NO_CHANGES;
    const number = this.#number + 1;
    const peaks = new PeakFiles(accepted ? [] : this.#peaks.entries());
    peaks.record(generation.files, now);
    const history = this.#history.with({
      id: generation.id,
      number,
      publishedAt: now,
      files: generation.files,
      added,
      changed,
      removed,
      ...(release !== undefined && { release: pastReleaseOf(release) }),
    });
    const changeLog = paths === undefined ? this.#changeLog : this.#changeLog.with(number, paths);
    return { number, nextNodeId, peaks: peaks.entries(), history: history.entries, changeLog };
  }

  /**
   * Counts the number and the node ids of a publication as used. Called right before the swap: even if the
   * swap fails, the kernel may have seen them.
   */
  use(next: NextRecords, second: number): void {
    this.#number = next.number;
    this.#nextNodeId = next.nextNodeId;
    this.#lastSecond = second;
  }

  /** Takes over the records of a publication. Called after the notifications were answered. */
  published(next: NextRecords, publishedAt: number): void {
    this.#peaks = new PeakFiles(next.peaks);
    this.#changeLog = next.changeLog;
    this.#history = new History(
      next.history.map((entry) => (entry.number === next.number ? { ...entry, publishedAt } : entry)),
    );
  }
}
