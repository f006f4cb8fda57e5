import { Yielder } from '../base/yielder.ts';
import type { Built, ReleaseStep } from '../source/source.ts';
import type { Generation, GenerationChanges } from '../tree/index.ts';
import { everyEntry, filesBetween, goneFiles, hideContent, showContent } from './cache-visibility.ts';
import type { ChangeLog } from './change-log.ts';
import { packChanges } from './changed-paths.ts';
import { ContentState } from './content-state.ts';
import type { HistoryEntry } from './history.ts';
import type { NextRecords } from './next-records.ts';
import { persist } from './persist.ts';
import { boundOf, type PrefetchBound } from './prefetch-bound.ts';
import { ProblemLog } from './problem-log.ts';
import { publish } from './publish.ts';
import { Records } from './records.ts';
import { ReplacedInodes } from './replaced-inodes.ts';
import type { Restored } from './restored.ts';
import type { RevalidationOptions } from './revalidation-options.ts';
import { problemsOf, type Shown, summaryOf } from './shown.ts';
import { timed } from './timed.ts';
import type { FailedObject } from './unreadable/failed-object.ts';
import type { UnreadableObjects } from './unreadable/unreadable-objects.ts';

/** A tree that is ready to be shown. */
export interface Candidate {
  readonly built: Built;
  readonly content: ContentState;
  readonly bound: PrefetchBound;
  /**
   * The digest of the listing that the tree shows; undefined if some of its content differs from what was
   * listed.
   */
  readonly digest: string | undefined;
  /** Files that are shown although they are unreadable. */
  readonly failed: readonly FailedObject[];
  /**
   * Whether an operator accepted the tree, or its release allows deletions. Then the guard ignores what was
   * shown before.
   */
  readonly accepted: boolean;
  readonly release: ReleaseStep | undefined;
  /** The tree is not shown before this time, in milliseconds since the epoch. */
  readonly notBefore: number | undefined;
}

/**
 * Owns the shown tree, and the publication numbers and node ids, which are never reused. Replaces the tree,
 * in the stages "persist", "swap", "notify" and "retire".
 *
 * Every crash point below lies between calls of the ports, so that tests can stop a process there by wrapping
 * them.
 */
export class Publisher {
  readonly #options: RevalidationOptions;
  readonly #unreadable: UnreadableObjects;
  readonly #records: Records;
  readonly #replaced: ReplacedInodes;
  readonly #problemLog: ProblemLog;
  #shown: Shown | undefined;

  constructor(options: RevalidationOptions, unreadable: UnreadableObjects, restored: Partial<Restored>) {
    this.#options = options;
    this.#unreadable = unreadable;
    this.#problemLog = new ProblemLog(options.log);
    this.#records = new Records(restored);
    this.#replaced = new ReplacedInodes(options.cache, restored.removedDirectories, restored.replaced);
    options.presenter.onReleased((nodeIds) => this.#replaced.release(nodeIds));
  }

  get shown(): Shown | undefined {
    return this.#shown;
  }

  get history(): readonly HistoryEntry[] {
    return this.#records.history;
  }

  get changeLog(): ChangeLog {
    return this.#records.changeLog;
  }

  /** The number of replaced versions that the kernel may still hold. */
  get replacedVersions(): number {
    return this.#replaced.versions;
  }

  /** Returns the node ids that this path had in earlier trees, and that the kernel may still hold. */
  replacedNodeIds(path: string): readonly number[] {
    return this.#replaced.nodeIdsOf(path);
  }

  /** The input from which the next tree is built. */
  get base(): {
    readonly previous: Generation | undefined;
    readonly removedDirectories: ReadonlyMap<string, number>;
    readonly nextNodeId: number;
  } {
    return {
      previous: this.#shown?.generation,
      removedDirectories: this.#replaced.removedDirectories,
      nextNodeId: this.#records.nextNodeId,
    };
  }

  /** The maximum number of files that any generation of the last hour had. */
  peak(): number {
    return this.#records.peak(this.#options.clock.now());
  }

  /**
   * Shows a persisted generation unchanged, with the same number and mtimes. Needs no answer from the store.
   */
  async resume(restored: Restored): Promise<Shown> {
    const { generation, publishedAt, release } = restored;
    const problems = this.#unreadable.restore(generation, restored.problems);
    const content = restored.content ?? new ContentState(generation.entries);
    const yielder = new Yielder();
    const bound = await boundOf(generation, this.#options, yielder);
    await this.#options.presenter.publish({
      generation,
      fingerprints: content.fingerprints,
      changes: undefined,
    });
    // If this process took over a connection, it has also sent the notifications that its predecessor had not
    // sent.
    this.#options.persister.acknowledged();
    this.#shown = { generation, content, bound, digest: undefined, problems, publishedAt, release };
    await showContent(this.#options.cache, generation, everyEntry(generation), bound.bytes, yielder);
    return this.#shown;
  }

  /** Records that the shown tree also matches another listing, or the step that was persisted. */
  foundAgain(digest: string | undefined, built: Built, release: ReleaseStep | undefined): void {
    this.#shown = { ...this.#shown!, digest, ...problemsOf(built), release };
    this.#problemLog.tell(built.problems, built.unnamedProblems);
  }

  /** Shows another tree. Calls `swapped` when every lookup sees it. */
  async replace(
    candidate: Candidate,
    swapped: () => void,
    yielder: Yielder,
    signal: AbortSignal,
  ): Promise<void> {
    const { built, digest, failed, accepted, release } = candidate;
    const { generation, changes, problems } = built;
    const shown = this.#shown;
    const paths =
      shown === undefined || changes === undefined
        ? undefined
        : await packChanges(shown.generation, generation, changes, yielder);
    const records = this.#records.next(built, paths, accepted, this.#options.clock.now(), release);
    if (shown !== undefined && changes !== undefined) {
      await this.#replaced.add(shown.generation, changes, yielder);
    }
    const { removedDirectories, replaced } = this.#replaced;
    const before = this.#unreadable.current;
    const unreadable = this.#unreadable.next(generation, failed, accepted);
    const state = {
      ...records,
      generation,
      changes,
      problems: [...problems, ...unreadable.problems],
      digest,
      release,
      removedDirectories,
      replaced,
    };
    await timed(this.#options, 'persist', () => persist(this.#options.persister, state));
    // crash point: persisted. A successor still takes the old state.
    try {
      // The unreadable files are registered before the swap, so that a reader that gets EIO finds the reason
      // among the problems.
      await this.#publish(candidate, records, () => this.#unreadable.use(unreadable), signal);
    } catch (error) {
      this.#unreadable.use(before);
      throw error;
    }
    swapped();
    // crash point: published. The old tree's content is still kept as if it were shown.
    await timed(this.#options, 'retire', () => this.#retire(shown, this.#shown!, changes, yielder));
  }

  async #publish(
    { built, content, bound, digest, release, notBefore }: Candidate,
    records: NextRecords,
    swapping: () => void,
    signal: AbortSignal,
  ): Promise<void> {
    const { persister, presenter, clock, log, observeStage } = this.#options;
    const { generation, changes } = built;
    const before = this.#shown;
    const instant = await publish({
      publication: { generation, fingerprints: content.fingerprints, changes },
      number: records.number,
      lastSecond: this.#records.lastSecond,
      notBefore,
      persister,
      presenter,
      clock,
      signal,
      observeStage,
      swapping: (instant) => {
        if (before !== undefined && changes !== undefined) content.carryOver(before.content, changes.origin);
        this.#records.use(records, instant.seconds);
        swapping();
      },
    });
    persister.acknowledged();
    this.#replaced.dated(instant);
    const publishedAt = clock.now();
    this.#shown = { content, bound, digest, generation, ...problemsOf(built), publishedAt, release };
    this.#problemLog.tell(built.problems, built.unnamedProblems);
    this.#records.published(records, publishedAt);
    const entry = this.#records.history.at(-1)!;
    log.info({ event: 'published', ...entry, bytes: generation.bytes }, 'published');
    this.#options.notice?.({ kind: 'published', generation: summaryOf(this.#shown), entry });
  }

  async #retire(
    before: Shown | undefined,
    now: Shown,
    changes: GenerationChanges | undefined,
    yielder: Yielder,
  ): Promise<void> {
    const { cache } = this.#options;
    const bound = now.bound.bytes;
    // There is no earlier tree. The content of a first tree has counted as shown since it was fetched.
    if (before === undefined || changes === undefined) return;
    await this.#replaced.revive(now.generation, changes, yielder);
    await hideContent(cache, before.generation, goneFiles(changes), now.generation, yielder);
    if (before.bound.bytes !== bound) {
      const files = filesBetween(now.generation, before.bound.bytes, bound);
      await showContent(cache, now.generation, files, bound, yielder);
    }
    // Copies what became known about content of the old tree while the new one was being published.
    now.content.carryOver(before.content, changes.origin);
    // crash point: retired.
  }
}
