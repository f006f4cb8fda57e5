import type { Generation, GenerationChanges } from '../tree/index.ts';
import { Adoptions } from './adoption.ts';
import type { ChangeLog } from './change-log.ts';
import { packChanges } from './changed-paths.ts';
import { ContentState } from './content-state.ts';
import { Damage } from './damage.ts';
import { SyncError } from './failure.ts';
import { judge } from './guard.ts';
import { type HeldView, Hold, missingFiles } from './held.ts';
import type { HistoryEntry } from './history.ts';
import { list } from './list.ts';
import { Pace } from './pace.ts';
import { persist } from './persist.ts';
import type { Built, Listed } from './ports.ts';
import { prefetch } from './prefetch.ts';
import { boundOf } from './prefetch-bound.ts';
import { ProblemLog } from './problem-log.ts';
import { type PendingView, Progress } from './progress.ts';
import { publish } from './publish.ts';
import { type NextRecords, Records } from './records.ts';
import type { Restored } from './restored.ts';
import { Retired } from './retire.ts';
import type { RevalidationOptions, Stage } from './revalidation-options.ts';
import { settle } from './settle.ts';
import { everyEntry, filesBetween, goneFiles, hideContent, newFiles, showContent } from './shelve.ts';
import { isSameTree, problemsOf, type Shown, summaryOf } from './shown.ts';

export type Revalidated =
  | { readonly kind: 'current' }
  | { readonly kind: 'published' }
  | { readonly kind: 'held'; readonly held: HeldView };

/** Listings that turn out stale while they are prefetched: after so many more, what is found is adopted. */
const MOST_RESTARTS = 3;

interface Stale {
  readonly kind: 'stale';
  readonly path: string;
  readonly code: string;
}

interface Adopted {
  readonly kind: 'adopted';
  readonly files: number;
}

/**
 * Runs the stages in order and owns what they share: the tree that is shown, the one variable that changes, and
 * the numbers that are never used twice. One revalidation runs at a time.
 *
 * Every crash point below lies between calls of the ports, so that tests stop a process there by wrapping them.
 */
export class Revalidation {
  readonly #options: RevalidationOptions;
  readonly #hold: Hold;
  readonly #records: Records;
  readonly #retired: Retired;
  readonly #progress = new Progress();
  readonly #problemLog: ProblemLog;
  readonly #damage = new Damage();
  /** Whether this revalidation may still wait for the listing to settle: it has not done so to the limit. */
  #mayWait = true;
  #shown: Shown | undefined;
  /** Of a listing that settled and was not published: found again, it need not settle once more. */
  #settledDigest: string | undefined;

  constructor(options: RevalidationOptions, restored: Partial<Restored> = {}) {
    this.#options = options;
    this.#hold = new Hold(options.clock, options.log, (held) => options.notice?.({ kind: 'held', held }));
    this.#problemLog = new ProblemLog(options.log);
    this.#records = new Records(restored);
    this.#retired = new Retired(options.cache, restored.tombstones, restored.replaced);
    options.presenter.onReleased((nodeIds) => this.#retired.release(nodeIds));
  }

  get shown(): Shown | undefined {
    return this.#shown;
  }

  get held(): HeldView | undefined {
    return this.#hold.view;
  }

  /** What would be shown if what is held were accepted. */
  get heldTree(): Generation | undefined {
    return this.#hold.tree;
  }

  /** Of this path, in trees before the one shown: the kernel still holds them. */
  replacedNodeIds(path: string): readonly number[] {
    return this.#retired.nodeIdsOf(path);
  }

  get history(): readonly HistoryEntry[] {
    return this.#records.history;
  }

  get changeLog(): ChangeLog {
    return this.#records.changeLog;
  }

  /** What a prefetch under way has yet to fetch. */
  get pending(): PendingView {
    return this.#progress.view;
  }

  /** Replaced versions that the kernel may still hold. */
  get replacedVersions(): number {
    return this.#retired.versions;
  }

  /** Shows a persisted generation as it was: no new number, no new mtimes, no store. */
  async resume(restored: Restored): Promise<Shown> {
    const { generation, problems, publishedAt } = restored;
    const content = restored.content ?? new ContentState(generation.entries);
    const pace = new Pace();
    const bound = await boundOf(generation, this.#options, pace);
    await this.#options.presenter.publish({ generation, stamps: content.stamps, changes: undefined });
    // Where a connection was taken over, with it what the predecessor owed the kernel.
    this.#options.persister.acknowledged();
    this.#shown = { generation, content, bound, digest: undefined, problems, publishedAt };
    await this.#retire(undefined, this.#shown, undefined, pace);
    return this.#shown;
  }

  /**
   * Lists once, and publishes what is new in it. `accept` is the id of a tree that passes the guard. Rejects with
   * the store's error, or with SyncError; the tree that is shown then stays.
   *
   * Where objects change faster than they can be listed and fetched, what is found in their place is shown instead.
   */
  async revalidate(accept: string | undefined, signal: AbortSignal): Promise<Revalidated> {
    this.#damage.next();
    this.#mayWait = true;
    for (let restarts = 0; ; restarts++) {
      const adoptions = restarts < MOST_RESTARTS ? undefined : new Adoptions(this.#options.cache);
      try {
        const end = await this.#once(accept, adoptions, signal);
        if (end.kind !== 'stale') return end;
        this.#options.log.info(
          { path: end.path, code: end.code, restarts },
          'the listing is out of date: once more',
        );
      } finally {
        adoptions?.release(this.#shown?.generation);
      }
    }
  }

  async #once(
    accept: string | undefined,
    adoptions: Adoptions | undefined,
    signal: AbortSignal,
  ): Promise<Revalidated | Stale> {
    const listed = await this.#timed('list', () => this.#list(signal));
    // crash point: listed. Nothing has changed.
    const shown = this.#shown;
    if (shown !== undefined && listed.digest === shown.digest) return this.#unchanged();
    if (accept === undefined && this.#hold.isOf(listed.digest)) {
      const held = this.#hold.view!;
      const again = this.#judge(held.files);
      if (!again.pass) return { kind: 'held', held: this.#hold.hold(listed.digest, held, this.#hold.tree) };
    }

    const settled =
      shown === undefined ? listed : await this.#timed('settle', () => this.#settle(listed, signal));
    // crash point: settled.
    if (shown !== undefined && settled.digest === shown.digest) return this.#unchanged();
    this.#settledDigest = settled.digest;
    for (;;) {
      const end = await this.#buildAndShow(settled.digest, accept, adoptions, signal);
      if (end.kind !== 'adopted') return end;
      // Each round adopts paths that none before it did: this comes to an end.
      this.#options.log.info(
        { files: end.files },
        'objects that change all the time are shown as they were found',
      );
    }
  }

  async #buildAndShow(
    digest: string,
    accept: string | undefined,
    adoptions: Adoptions | undefined,
    signal: AbortSignal,
  ): Promise<Revalidated | Stale | Adopted> {
    const shown = this.#shown;
    const built = await this.#timed('build', () => this.#build(adoptions, signal));
    // crash point: built. The ids handed out are not in use: the next build hands them out again.
    if (shown !== undefined && isSameTree(built.generation, shown.generation)) {
      this.#shown = { ...shown, digest: digestOf(digest, adoptions), ...problemsOf(built) };
      this.#problemLog.tell(built.problems, built.unnamedProblems);
      return this.#unchanged();
    }
    return this.#show(built, digest, accept, adoptions, signal);
  }

  async #show(
    built: Built,
    digest: string,
    accept: string | undefined,
    adoptions: Adoptions | undefined,
    signal: AbortSignal,
  ): Promise<Revalidated | Stale | Adopted> {
    const { generation, changes } = built;
    const shown = this.#shown;
    const accepted = accept === generation.id;
    if (shown === undefined) this.#refuseEmpty(built);
    else if (!accepted) {
      const held = await this.#timed('guard', async () => this.#guard(built, digest, shown));
      if (held !== undefined) return { kind: 'held', held };
      this.#hold.drop();
    }

    const { cache, concurrency, log } = this.#options;
    const pace = new Pace();
    const content = new ContentState(generation.entries);
    const bound = await boundOf(generation, this.#options, pace);
    let published = false;
    try {
      if (shown !== undefined && changes !== undefined) {
        await showContent(cache, generation, newFiles(changes), bound.bytes, pace);
        const target = { generation, content, bound: bound.bytes };
        const means = { cache, concurrency, log, progress: this.#progress, damage: this.#damage, adoptions };
        const fetched = await this.#timed('prefetch', () => prefetch(target, changes, means, pace, signal));
        if (fetched.kind !== 'complete') return fetched;
        log.debug(fetched, 'prefetched');
      }
      // crash point: prefetched. The content is in the cache, of a version that is not shown.
      const paths =
        shown === undefined || changes === undefined
          ? undefined
          : await packChanges(shown.generation, generation, changes, pace);
      const records = this.#records.next(built, paths, accepted, this.#options.clock.now());
      if (shown !== undefined && changes !== undefined) {
        await this.#retired.add(shown.generation, changes, pace);
      }
      const { tombstones, replaced } = this.#retired;
      const shownDigest = digestOf(digest, adoptions);
      const state = {
        ...records,
        generation,
        changes,
        problems: built.problems,
        digest: shownDigest,
        tombstones,
        replaced,
      };
      await this.#timed('persist', () => persist(this.#options.persister, state));
      // crash point: persisted. The state in force is still the old one.
      await this.#publish(built, records, { content, bound, digest: shownDigest }, signal);
      published = true;
    } finally {
      this.#progress.clear();
      // What did not come to be shown must not hold room in the cache.
      if (!published && changes !== undefined) await hideContent(cache, generation, newFiles(changes), pace);
    }
    // crash point: published. The old tree's content is still kept as if it were shown.
    await this.#timed('retire', () => this.#retire(shown, this.#shown!, changes, pace));
    return { kind: 'published' };
  }

  #list(signal: AbortSignal): Promise<Listed> {
    return list(this.#options.lister, this.#options.log, signal);
  }

  async #settle(first: Listed, signal: AbortSignal): Promise<Listed> {
    const isKnown = first.digest === this.#settledDigest || this.#hold.isOf(first.digest);
    if (isKnown || !this.#mayWait) return first;
    const { settleMs, clock } = this.#options;
    const settled = await settle({ first, settleMs, clock, signal, list: (until) => this.#list(until) });
    this.#mayWait = settled.kind === 'settled';
    return settled.listed;
  }

  #build(adoptions: Adoptions | undefined, signal: AbortSignal): Promise<Built> {
    return this.#options.lister.build({
      previous: this.#shown?.generation,
      tombstones: this.#retired.tombstones,
      nextNodeId: this.#records.nextNodeId,
      ...(adoptions !== undefined && { adopted: adoptions.objects }),
      signal,
    });
  }

  #judge(files: number): ReturnType<typeof judge> {
    const peak = this.#records.peak(this.#options.clock.now());
    // Filters that let nothing through any more make an empty tree, though there is nothing to compare it with.
    const hadAny = files === 0 && !this.#options.allowEmpty ? (this.#shown?.generation.files ?? 0) : 0;
    return judge(files, Math.max(peak, hadAny), this.#options);
  }

  #guard({ generation, changes }: Built, digest: string, shown: Shown): HeldView | undefined {
    const judgement = this.#judge(generation.files);
    if (judgement.pass) return undefined;
    const held = {
      generation: generation.id,
      files: generation.files,
      removed: changes === undefined ? 0 : missingFiles(shown.generation, generation, changes),
      reason: judgement.reason,
      detail: judgement.detail,
    };
    return this.#hold.hold(digest, held, generation);
  }

  #refuseEmpty({ generation }: Built): void {
    if (generation.files > 0 || this.#options.allowEmpty) return;
    throw new SyncError(
      'empty-source',
      'There is no file to show under this prefix.',
      'Check the prefix and the filters, or pass --allow-empty: Airflow deactivates every DAG of an empty folder.',
    );
  }

  async #publish(
    built: Built,
    records: NextRecords,
    candidate: Pick<Shown, 'content' | 'bound' | 'digest'>,
    signal: AbortSignal,
  ): Promise<void> {
    const { persister, presenter, clock, log } = this.#options;
    const { generation, changes } = built;
    const { content } = candidate;
    const before = this.#shown;
    const instant = await publish({
      publication: { generation, stamps: content.stamps, changes },
      number: records.number,
      lastSecond: this.#records.lastSecond,
      persister,
      presenter,
      clock,
      signal,
      observeStage: this.#options.observeStage,
      swapping: (instant) => {
        if (before !== undefined && changes !== undefined) content.carryOver(before.content, changes.origin);
        this.#records.use(records, instant.seconds);
      },
    });
    persister.acknowledged();
    this.#retired.dated(instant);
    const publishedAt = clock.now();
    this.#shown = { ...candidate, generation, ...problemsOf(built), publishedAt };
    this.#problemLog.tell(built.problems, built.unnamedProblems);
    this.#settledDigest = undefined;
    this.#damage.clear();
    this.#hold.drop();
    this.#records.published(records, publishedAt);
    const entry = this.#records.history.at(-1)!;
    log.info({ ...entry, bytes: generation.bytes }, 'published');
    this.#options.notice?.({ kind: 'published', generation: summaryOf(this.#shown), entry });
  }

  async #retire(
    before: Shown | undefined,
    now: Shown,
    changes: GenerationChanges | undefined,
    pace: Pace,
  ): Promise<void> {
    const { cache } = this.#options;
    const bound = now.bound.bytes;
    if (before === undefined || changes === undefined) {
      return showContent(cache, now.generation, everyEntry(now.generation), bound, pace);
    }
    await this.#retired.revive(now.generation, changes, pace);
    await hideContent(cache, before.generation, goneFiles(changes), pace);
    if (before.bound.bytes !== bound) {
      const files = filesBetween(now.generation, before.bound.bytes, bound);
      await showContent(cache, now.generation, files, bound, pace);
    }
    // What the backlog and readers learned of the old tree while this one was on its way.
    now.content.carryOver(before.content, changes.origin);
    // crash point: retired.
  }

  #unchanged(): Revalidated {
    this.#hold.drop();
    this.#settledDigest = undefined;
    return { kind: 'current' };
  }

  async #timed<T>(stage: Stage, run: () => Promise<T>): Promise<T> {
    const { clock, observeStage } = this.#options;
    const before = clock.now();
    try {
      return await run();
    } finally {
      observeStage(stage, Math.max(0, clock.now() - before) / 1000);
    }
  }
}

/** A tree with something adopted in it is that of no listing: the next listing, whatever it has, is built. */
function digestOf(listed: string, adoptions: Adoptions | undefined): string | undefined {
  return adoptions === undefined || adoptions.objects.size === 0 ? listed : undefined;
}
