import { Yielder } from '../base/yielder.ts';
import type { Built, Listed } from '../source/source.ts';
import type { Generation } from '../tree/index.ts';
import { Adoptions } from './adoption.ts';
import { hideContent, newFiles, showContent } from './cache-visibility.ts';
import type { ChangeLog } from './change-log.ts';
import { ContentState } from './content-state.ts';
import { SyncError } from './failure.ts';
import { judge } from './guard.ts';
import { type HeldView, Hold, missingFiles } from './held.ts';
import type { HistoryEntry } from './history.ts';
import { list } from './list.ts';
import { type Prefetched, prefetch } from './prefetch.ts';
import { boundOf } from './prefetch-bound.ts';
import { type PendingView, Progress } from './progress.ts';
import { Publisher } from './publisher.ts';
import type { Restored } from './restored.ts';
import type { RevalidationOptions } from './revalidation-options.ts';
import { settle } from './settle.ts';
import { isSameTree, type Shown } from './shown.ts';
import { StaleVersions } from './stale-versions.ts';
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
  /** A tree waits for objects that cannot be had: until `until`, it is tried again. */
  | { readonly kind: 'waiting'; readonly waiting: WaitingView };

/** Listings that turn out stale while they are prefetched: after so many more, what is found is adopted. */
const MOST_RESTARTS = 3;

type Stale = Prefetched & { readonly kind: 'stale' };
type Adopted = Prefetched & { readonly kind: 'adopted' };

/** What one look at the store goes by. */
interface Attempt {
  /** The id of a tree that passes the guard. */
  readonly accept: string | undefined;
  readonly adoptions: Adoptions | undefined;
  readonly stale: StaleVersions;
  readonly signal: AbortSignal;
}

/** Runs the stages in order, up to the one that shows a tree. One revalidation runs at a time. */
export class Revalidation {
  readonly #options: RevalidationOptions;
  readonly #hold: Hold;
  readonly #publisher: Publisher;
  readonly #unreadable: UnreadableObjects;
  readonly #wait: ObjectWait;
  readonly #slow: SlowFetches;
  readonly #progress = new Progress();
  /** Whether this revalidation may still wait for the listing to settle: it has not done so to the limit. */
  #mayWait = true;
  /** Of a listing that settled and was not published: found again, it need not settle once more. */
  #settledDigest: string | undefined;

  constructor(options: RevalidationOptions, unreadable: UnreadableObjects, restored: Partial<Restored> = {}) {
    const { clock, log } = options;
    this.#options = options;
    this.#unreadable = unreadable;
    this.#hold = new Hold(clock, log, (held) => options.notice?.({ kind: 'held', held }));
    this.#wait = new ObjectWait(clock, log, options.unreadableWaitMs);
    this.#slow = new SlowFetches(clock);
    this.#publisher = new Publisher(options, unreadable, restored);
  }

  get shown(): Shown | undefined {
    return this.#publisher.shown;
  }

  get held(): HeldView | undefined {
    return this.#hold.view;
  }

  /** What would be shown if what is held were accepted. */
  get heldTree(): Generation | undefined {
    return this.#hold.tree;
  }

  /** What a tree that is not shown yet waits for. */
  get waiting(): WaitingView | undefined {
    return this.#wait.view ?? this.#slow.view;
  }

  /** Milliseconds until the tree that waits is shown, or held, without what it waits for. */
  get waitingLeftMs(): number {
    return this.#wait.leftMs;
  }

  /** Of this path, in trees before the one shown: the kernel still holds them. */
  replacedNodeIds(path: string): readonly number[] {
    return this.#publisher.replacedNodeIds(path);
  }

  get history(): readonly HistoryEntry[] {
    return this.#publisher.history;
  }

  get changeLog(): ChangeLog {
    return this.#publisher.changeLog;
  }

  /** What a prefetch under way has yet to fetch. */
  get pending(): PendingView {
    return this.#progress.view;
  }

  /** Replaced versions that the kernel may still hold. */
  get replacedVersions(): number {
    return this.#publisher.replacedVersions;
  }

  /** Shows a persisted generation as it was: no new number, no new mtimes, no store. */
  resume(restored: Restored): Promise<Shown> {
    return this.#publisher.resume(restored);
  }

  /**
   * Lists once, and publishes what is new in it. `accept` is the id of a tree that passes the guard. Rejects with
   * the store's error, or with SyncError; the tree that is shown then stays.
   *
   * Where objects change faster than they can be listed and fetched, what is found in their place is shown instead.
   */
  async revalidate(accept: string | undefined, signal: AbortSignal): Promise<Revalidated> {
    this.#mayWait = true;
    const stale = new StaleVersions();
    for (let restarts = 0; ; restarts++) {
      const adoptions = restarts < MOST_RESTARTS ? undefined : new Adoptions(this.#options.cache);
      try {
        const end = await this.#once({ accept, adoptions, stale, signal });
        if (end.kind !== 'stale') return end;
        this.#options.log.info(
          { event: 'listing-outdated', path: end.path, code: end.code, restarts },
          'the listing is out of date: once more',
        );
      } catch (error) {
        this.#wait.storeFailed();
        throw error;
      } finally {
        adoptions?.release(this.shown?.generation);
      }
    }
  }

  async #once(attempt: Attempt): Promise<Revalidated | Stale> {
    const { accept, signal } = attempt;
    const listed = await timed(this.#options, 'list', () => this.#list(signal));
    // crash point: listed. Nothing has changed.
    const { shown } = this;
    if (shown !== undefined && listed.digest === shown.digest) return this.#unchanged();
    if (accept === undefined && this.#hold.isOf(listed.digest)) {
      const held = this.#hold.view!;
      const again = this.#judge(held.files);
      if (!again.pass) return { kind: 'held', held: this.#hold.hold(listed.digest, held, this.#hold.tree) };
    }

    const settled =
      shown === undefined ? listed : await timed(this.#options, 'settle', () => this.#settle(listed, signal));
    // crash point: settled.
    if (shown !== undefined && settled.digest === shown.digest) return this.#unchanged();
    this.#settledDigest = settled.digest;
    for (;;) {
      const end = await this.#buildAndShow(settled.digest, attempt);
      if (end.kind !== 'adopted') return end;
      // Each round adopts paths that none before it did: this comes to an end.
      this.#options.log.info(
        { event: 'changing-objects-shown', files: end.files },
        'objects that change all the time are shown as they were found',
      );
    }
  }

  async #buildAndShow(digest: string, attempt: Attempt): Promise<Revalidated | Stale | Adopted> {
    const { shown } = this;
    const built = await timed(this.#options, 'build', () => this.#build(attempt));
    // crash point: built. The ids handed out are not in use: the next build hands them out again.
    if (shown !== undefined && isSameTree(built.generation, shown.generation)) {
      this.#publisher.foundAgain(digestOf(digest, attempt.adoptions), built);
      return this.#unchanged();
    }
    return this.#show(built, digest, attempt);
  }

  async #show(built: Built, digest: string, attempt: Attempt): Promise<Revalidated | Stale | Adopted> {
    const { generation, changes } = built;
    const { shown } = this;
    const accepted = attempt.accept === generation.id;
    if (shown === undefined) this.#refuseEmpty(built);
    else if (!accepted) {
      const held = await timed(this.#options, 'guard', async () => this.#guard(built, digest, shown));
      if (held !== undefined) {
        this.#wait.end();
        return { kind: 'held', held };
      }
      if (!this.#hold.isForObjects) this.#hold.drop();
    }

    const { cache, log } = this.#options;
    const yielder = new Yielder();
    const content = new ContentState(generation.entries);
    const bound = await boundOf(generation, this.#options, yielder);
    try {
      if (shown !== undefined && changes !== undefined) {
        await showContent(cache, generation, newFiles(changes), bound.bytes, yielder);
      }
      const target = { generation, content, bound: bound.bytes };
      const fetched = await timed(this.#options, 'prefetch', () =>
        this.#prefetch(target, changes, attempt, yielder),
      );
      if (fetched.kind !== 'complete') return fetched;
      const { files, noRoom } = fetched;
      const failed = this.#wait.withAnswers(fetched.failed);
      log.debug({ event: 'prefetched', files, noRoom, failed: failed.length }, 'prefetched');
      const delay = failed.length === 0 ? undefined : this.#delay(built, digest, failed, accepted);
      if (delay !== undefined) return delay;
      // crash point: prefetched. The content is in the cache, of a version that is not shown.
      const shownDigest = digestOf(digest, attempt.adoptions);
      const candidate = { built, content, bound, digest: shownDigest, failed, accepted };
      await this.#publisher.replace(candidate, () => this.#published(), yielder, attempt.signal);
    } finally {
      this.#progress.clear();
      // What did not come to be shown must not hold room in the cache.
      const isShown = this.shown?.generation === generation;
      if (!isShown && changes !== undefined) await hideContent(cache, generation, newFiles(changes), yielder);
    }
    return { kind: 'published' };
  }

  /** Of the first tree only what must not be shown without its content; everything else is fetched behind it. */
  #prefetch(
    target: Parameters<typeof prefetch>[0],
    changes: Built['changes'],
    { adoptions, stale, signal }: Attempt,
    yielder: Yielder,
  ): Promise<Prefetched> {
    const isFirst = this.shown === undefined || changes === undefined;
    const wanted = isFirst ? { added: ignoreFiles(target.generation), changed: new Uint32Array(0) } : changes;
    if (!isFirst) this.#wait.began();
    const means = {
      ...this.#options,
      progress: this.#progress,
      unreadable: this.#unreadable,
      slow: this.#slow,
      allowedMs: (path: string, ms: number) => this.#wait.allowedMs(path, ms),
      stale,
      adoptions,
    };
    return prefetch(target, wanted, means, yielder, signal);
  }

  /** What comes in the place of showing a tree in which these objects cannot be had; undefined: it is shown. */
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
    // Where an error takes the place of an error, or of nothing and for good, there is nothing to wait for.
    const awaited = failed.filter(
      ({ version, refused }) => !refused && !this.#unreadable.hasPath(version.path),
    );
    if (!accepted && (awaited.length > 0 || tooMany !== undefined)) {
      const objects = awaited.length > 0 ? awaited : failed;
      if (this.#wait.waitsFor(objects)) return { kind: 'waiting', waiting: this.#wait.view! };
    }
    if (tooMany === undefined) return undefined;
    return { kind: 'held', held: this.#holdBack(built, digest, shown, tooMany) };
  }

  #published(): void {
    this.#settledDigest = undefined;
    this.#wait.end();
    this.#hold.drop();
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

  #build({ adoptions, signal }: Attempt): Promise<Built> {
    return this.#options.lister.build({
      ...this.#publisher.base,
      ...(adoptions !== undefined && { adopted: adoptions.objects }),
      signal,
    });
  }

  #judge(files: number): ReturnType<typeof judge> {
    const peak = this.#publisher.peak();
    // Filters that let nothing through any more make an empty tree, though there is nothing to compare it with.
    const hadAny = files === 0 && !this.#options.allowEmpty ? (this.shown?.generation.files ?? 0) : 0;
    return judge(files, Math.max(peak, hadAny), this.#options);
  }

  #guard(built: Built, digest: string, shown: Shown): HeldView | undefined {
    const judgement = this.#judge(built.generation.files);
    return judgement.pass ? undefined : this.#holdBack(built, digest, shown, judgement);
  }

  #holdBack(
    { generation, changes }: Built,
    digest: string,
    shown: Shown,
    { reason, detail }: Pick<HeldView, 'reason' | 'detail'>,
  ): HeldView {
    const { id, files } = generation;
    const removed = changes === undefined ? 0 : missingFiles(shown.generation, generation, changes);
    return this.#hold.hold(digest, { generation: id, files, removed, reason, detail }, generation);
  }

  #refuseEmpty({ generation }: Built): void {
    if (generation.files > 0 || this.#options.allowEmpty) return;
    throw new SyncError(
      'empty-source',
      'There is no file to show under this prefix.',
      'Check the prefix and the filters, or pass --allow-empty: Airflow deactivates every DAG of an empty folder.',
    );
  }

  #unchanged(): Revalidated {
    this.#hold.drop();
    this.#wait.end();
    this.#settledDigest = undefined;
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

/** A tree with something adopted in it is that of no listing: the next listing, whatever it has, is built. */
function digestOf(listed: string, adoptions: Adoptions | undefined): string | undefined {
  return adoptions === undefined || adoptions.objects.size === 0 ? listed : undefined;
}
