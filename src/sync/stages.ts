import { Yielder } from '../base/yielder.ts';
import type { Armed, Built, Candidate } from '../source/source.ts';
import type { Adoptions } from './adoption.ts';
import { ArmedTree } from './armed-tree.ts';
import { hideContent, newFiles, showContent } from './cache-visibility.ts';
import { ContentState } from './content-state.ts';
import { judge } from './deletion-guard.ts';
import { SyncError } from './failure.ts';
import type { FetchTarget } from './fetch-target.ts';
import { type HeldView, Hold, missingFiles } from './held.ts';
import { type Prefetched, prefetch } from './prefetch.ts';
import { boundOf, type PrefetchBound } from './prefetch-bound.ts';
import { type PendingView, Progress } from './progress.ts';
import { untilDue } from './publish.ts';
import { Publisher } from './publisher.ts';
import type { Restored } from './restored.ts';
import type { RevalidationOptions } from './revalidation-options.ts';
import { isSameStep, isSameTree, type Shown } from './shown.ts';
import { contentHoldOf } from './source-hold.ts';
import type { StaleVersions } from './stale-versions.ts';
import { timed } from './timed.ts';
import { answerOf, type FailedObject, ignoreFiles } from './unreadable/failed-object.ts';
import { ObjectWait, type WaitingView } from './unreadable/object-wait.ts';
import { SlowFetches } from './unreadable/slow-fetches.ts';
import type { UnreadableObjects } from './unreadable/unreadable-objects.ts';
import { reasonToHold } from './unreadable/verdict.ts';

export type Revalidated =
  | { readonly kind: 'current' }
  | { readonly kind: 'published' }
  | { readonly kind: 'held'; readonly held: HeldView }
  /** A tree waits for unreadable objects, which are retried until `waiting.until`. */
  | { readonly kind: 'waiting'; readonly waiting: WaitingView };

export type Stale = Prefetched & { readonly kind: 'stale' };
type Adopted = Prefetched & { readonly kind: 'adopted' };

/** A built tree and the state of its content. */
interface Target {
  readonly target: FetchTarget;
  readonly content: ContentState;
  readonly bound: PrefetchBound;
}

/** The parameters of one look at the source. */
export interface Attempt {
  /** The id of a tree that may pass the guard. */
  readonly accept: string | undefined;
  readonly adoptions: Adoptions | undefined;
  readonly stale: StaleVersions;
  readonly signal: AbortSignal;
}

/** The tree that an attempt may show. */
export interface Aim {
  readonly candidate: Candidate;
  /** When to show it, milliseconds since the epoch; undefined: now. */
  readonly notBefore: number | undefined;
}

/** The stages from "build" to the one that shows a tree, run over one candidate after another. */
export class Stages {
  readonly hold: Hold;
  readonly wait: ObjectWait;
  readonly armed: ArmedTree;
  readonly publisher: Publisher;
  readonly #options: RevalidationOptions;
  readonly #unreadable: UnreadableObjects;
  readonly #slow: SlowFetches;
  readonly #progress = new Progress();

  constructor(options: RevalidationOptions, unreadable: UnreadableObjects, restored: Partial<Restored>) {
    const { clock, log } = options;
    this.#options = options;
    this.#unreadable = unreadable;
    this.hold = new Hold(clock, log, (held) => options.notice?.({ kind: 'held', held }));
    this.armed = new ArmedTree(options.cache);
    this.wait = new ObjectWait(clock, log, options.unreadableWaitMs);
    this.#slow = new SlowFetches(clock);
    this.publisher = new Publisher(options, unreadable, restored);
  }

  get shown(): Shown | undefined {
    return this.publisher.shown;
  }

  /** What a tree that is not shown yet waits for. */
  get waiting(): WaitingView | undefined {
    return this.wait.view ?? this.#slow.view;
  }

  /** What the current prefetch has yet to fetch. */
  get pending(): PendingView {
    return this.#progress.view;
  }

  /** Shows the tree of a candidate, unless a stage prevents it. */
  async show(aim: Aim, attempt: Attempt): Promise<Revalidated | Stale> {
    for (;;) {
      const end = await this.#buildAndShow(aim, attempt);
      if (end.kind !== 'adopted') return end;
      // Each round adopts new paths, so the loop terminates.
      this.#options.log.info(
        { event: 'changing-objects-shown', files: end.files },
        'some objects change continuously; each is shown in the version that dagmount found',
      );
    }
  }

  async #buildAndShow(aim: Aim, attempt: Attempt): Promise<Revalidated | Stale | Adopted> {
    const { shown } = this;
    const { digest, release } = aim.candidate;
    const built = await timed(this.#options, 'build', () => this.#build(aim.candidate, attempt));
    // crash point: built. The new ids are not in use: the next build assigns them again.
    const isSame = shown !== undefined && isSameTree(built.generation, shown.generation);
    if (isSame && isSameStep(release, shown.release)) {
      await untilDue(aim.notBefore, this.#options.clock, attempt.signal);
      this.publisher.foundAgain(digestOf(digest, attempt.adoptions), built, release);
      return this.unchanged();
    }
    // Another step with the same files is a publication without changes: it is persisted, reported, and listed like any
    // other.
    return this.#show(built, aim, attempt, isSame);
  }

  /**
   * @param isSame whether the shown tree has the same files, so that there is nothing for the guard to
   * protect
   */
  async #show(
    built: Built,
    aim: Aim,
    attempt: Attempt,
    isSame: boolean,
  ): Promise<Revalidated | Stale | Adopted> {
    const { generation } = built;
    const { digest, release } = aim.candidate;
    const { shown } = this;
    const accepted = attempt.accept === generation.id || release?.allowsDeletions === true;
    if (shown === undefined) this.#refuseEmpty(built);
    else if (!accepted && !isSame) {
      const held = await timed(this.#options, 'guard', async () => this.#guard(built, digest, shown));
      if (held !== undefined) {
        this.wait.end();
        return { kind: 'held', held };
      }
      if (!this.hold.isForObjects) this.hold.drop();
    }

    const { cache, log } = this.#options;
    const yielder = new Yielder();
    const { content, bound, target } = await this.#targetOf(built, yielder);
    try {
      const fetched = await this.#fetch({ content, bound, target }, built, aim.candidate, attempt, yielder);
      if (fetched.kind !== 'complete') return fetched;
      const { files, noRoom } = fetched;
      const failed = this.wait.withAnswers(fetched.failed);
      log.debug(
        { event: 'prefetched', files, noRoom, failed: failed.length },
        'the content of the new tree was fetched',
      );
      const delay = failed.length === 0 ? undefined : this.#delay(built, digest, failed, accepted);
      if (delay !== undefined) return delay;
      if (shown === undefined) this.#options.onFirst?.(target);
      // crash point: prefetched. The cache has the content of a version that is not shown.
      const ready = {
        built,
        content,
        bound,
        digest: digestOf(digest, attempt.adoptions),
        failed,
        accepted,
        release,
        notBefore: aim.notBefore,
      };
      await this.publisher.replace(ready, () => this.#published(), yielder, attempt.signal);
    } finally {
      this.#progress.clear();
      // Content that was not shown must not occupy the cache.
      const now = this.shown?.generation;
      if (now !== generation && !this.armed.isKept(aim.candidate)) {
        await hideContent(cache, generation, newFiles(built), now, yielder);
      }
    }
    return { kind: 'published' };
  }

  async #targetOf({ generation }: Built, yielder: Yielder): Promise<Target> {
    const content = new ContentState(generation.entries);
    const bound = await boundOf(generation, this.#options, yielder);
    return { content, bound, target: { generation, content, bound: bound.bytes } };
  }

  /**
   * Makes a tree's new content local. Holds a release with unavailable content, because a release is shown
   * completely or not at all.
   */
  async #fetch(
    { target, bound }: Target,
    built: Built,
    { digest }: Candidate,
    attempt: Attempt,
    yielder: Yielder,
  ): Promise<Prefetched | (Revalidated & { readonly kind: 'held' })> {
    const { changes, generation } = built;
    const { shown } = this;
    await showContent(this.#options.cache, generation, newFiles(built), bound.bytes, yielder);
    try {
      return await timed(this.#options, 'prefetch', () => this.#prefetch(target, changes, attempt, yielder));
    } catch (error) {
      const why = this.isWhole ? contentHoldOf(error) : undefined;
      if (why === undefined || shown === undefined) throw error;
      return { kind: 'held', held: this.#holdBack(built, digest, shown, why) };
    }
  }

  /**
   * Makes the content of an armed tree local once the tree is known. Shortly before its instant, builds the
   * tree, waits for the instant, and shows the tree. Until then, returns `end`.
   */
  async goOnWith(armed: Armed, attempt: Attempt, end: Revalidated): Promise<Revalidated | Stale> {
    const { candidate, at: notBefore } = armed;
    if (this.armed.dueAt <= this.#options.clock.now()) return this.show({ candidate, notBefore }, attempt);
    if (this.armed.isKept(candidate)) return end;
    const built = await timed(this.#options, 'build', () => this.#build(candidate, attempt));
    const { generation, changes } = built;
    const { shown } = this;
    if (shown === undefined || changes === undefined) return end;
    const yielder = new Yielder();
    const target = await this.#targetOf(built, yielder);
    let isKept = false;
    try {
      const fetched = await this.#fetch(target, built, candidate, attempt, yielder);
      if (fetched.kind === 'held') return fetched;
      this.armed.keep(candidate.digest, built);
      isKept = true;
      this.#options.log.info(
        { event: 'armed', release: candidate.release, at: new Date(notBefore).toISOString() },
        'the next release is ready, and will be shown at its start time',
      );
      const { release } = candidate;
      if (release !== undefined) this.#options.notice?.({ kind: 'armed', release, at: notBefore });
      return end;
    } finally {
      this.#progress.clear();
      if (!isKept)
        await hideContent(this.#options.cache, generation, newFiles(built), shown.generation, yielder);
    }
  }

  /**
   * Of the first tree, fetches only .airflowignore files: it must not be shown without their content. The
   * backlog fetches everything else.
   */
  #prefetch(
    target: Parameters<typeof prefetch>[0],
    changes: Built['changes'],
    { adoptions, stale, signal }: Attempt,
    yielder: Yielder,
  ): Promise<Prefetched> {
    const isFirst = this.shown === undefined || changes === undefined;
    const wanted = isFirst ? { added: ignoreFiles(target.generation), changed: new Uint32Array(0) } : changes;
    if (!isFirst) this.wait.began();
    const means = {
      ...this.#options,
      progress: this.#progress,
      unreadable: this.#unreadable,
      slow: this.#slow,
      allowedMs: (path: string, ms: number) => this.wait.allowedMs(path, ms),
      stale,
      adoptions,
      isWhole: this.isWhole,
    };
    return prefetch(target, wanted, means, yielder, signal);
  }

  /** Returns how a tree with these unreadable objects waits or is held; undefined if it is to be shown. */
  #delay(
    built: Built,
    digest: string,
    failed: readonly FailedObject[],
    accepted: boolean,
  ): Revalidated | undefined {
    const { shown } = this;
    if (shown === undefined) throw unreadableIgnoreFile(failed);
    const { generation } = built;
    const others = this.#unreadable.countIn(generation);
    const tooMany = reasonToHold(generation, failed, others, accepted);
    // Waiting for an object is useless if its path already gives an error, or if the store's refusal is
    // permanent and no readable version is replaced.
    const awaited = failed.filter(
      ({ version, refused }) => !refused && !this.#unreadable.hasPath(version.path),
    );
    if (!accepted && (awaited.length > 0 || tooMany !== undefined)) {
      const objects = awaited.length > 0 ? awaited : failed;
      if (this.wait.waitsFor(objects)) return { kind: 'waiting', waiting: this.wait.view! };
    }
    if (tooMany === undefined) return undefined;
    return { kind: 'held', held: this.#holdBack(built, digest, shown, tooMany) };
  }

  #published(): void {
    this.wait.end();
    this.hold.drop();
  }

  /** Whether trees are shown only completely (releases), not with unreadable files. */
  get isWhole(): boolean {
    return this.#options.source.kind === 'release';
  }

  #build({ digest }: Candidate, { adoptions, signal }: Attempt): Promise<Built> {
    return this.#options.source.build({
      digest,
      ...this.publisher.base,
      ...(adoptions !== undefined && { adopted: adoptions.objects }),
      signal,
    });
  }

  /** Judges whether a tree of so many files may be shown. */
  judge(files: number): ReturnType<typeof judge> {
    const peak = this.publisher.peak();
    // If filters exclude everything, the tree is empty, and there may be no peak: then compare with the shown
    // tree.
    const hadAny = files === 0 && !this.#options.allowEmpty ? (this.shown?.generation.files ?? 0) : 0;
    return judge(files, Math.max(peak, hadAny), this.#options);
  }

  #guard(built: Built, digest: string, shown: Shown): HeldView | undefined {
    const judgement = this.judge(built.generation.files);
    return judgement.pass ? undefined : this.#holdBack(built, digest, shown, judgement);
  }

  #holdBack(
    { generation, changes }: Built,
    digest: string,
    shown: Shown,
    why: Pick<HeldView, 'reason' | 'detail' | 'hint' | 'acceptable'>,
  ): HeldView {
    const { id, files } = generation;
    const removed = changes === undefined ? 0 : missingFiles(shown.generation, generation, changes);
    return this.hold.hold(digest, { generation: id, files, removed, ...why }, generation);
  }

  #refuseEmpty({ generation }: Built): void {
    if (generation.files > 0 || this.#options.allowEmpty) return;
    throw new SyncError(
      'empty-source',
      'There is no file to show under this prefix.',
      'Check the prefix and the filters, or pass --allow-empty: Airflow deactivates every DAG of an empty folder.',
    );
  }

  /** Ends the hold and the wait, because the shown tree is the current one. */
  unchanged(): Revalidated {
    this.hold.drop();
    this.wait.end();
    return { kind: 'current' };
  }
}

function unreadableIgnoreFile(failed: readonly FailedObject[]): SyncError {
  const { version, failure } = failed[0]!;
  return new SyncError(
    'unreadable-ignore-file',
    `${version.path} cannot be had, while the store gives other objects (${answerOf(failure)}).`,
    "Repair or remove that object, or leave it out by --exclude: Airflow's processor ends where it cannot read such a file.",
  );
}

/**
 * Returns undefined for a tree with adopted versions, which matches no listing: then the next listing is
 * built, whatever it contains.
 */
function digestOf(listed: string, adoptions: Adoptions | undefined): string | undefined {
  return adoptions === undefined || adoptions.objects.size === 0 ? listed : undefined;
}
