import { Yielder } from '../base/yielder.ts';
import type { Armed, Candidate, Look } from '../source/source.ts';
import type { Generation } from '../tree/index.ts';
import { Adoptions } from './adoption.ts';
import type { ChangeLog } from './change-log.ts';
import type { HeldView } from './held.ts';
import type { HistoryEntry } from './history.ts';
import { look } from './look.ts';
import type { PendingView } from './progress.ts';
import type { Restored } from './restored.ts';
import type { RevalidationOptions } from './revalidation-options.ts';
import { settle } from './settle.ts';
import type { Shown } from './shown.ts';
import { acceptedBy, heldViewOf, refuseEarly, refuseHeld } from './source-hold.ts';
import { type Attempt, type Revalidated, Stages, type Stale } from './stages.ts';
import { StaleVersions } from './stale-versions.ts';
import { timed } from './timed.ts';
import type { WaitingView } from './unreadable/object-wait.ts';
import type { UnreadableObjects } from './unreadable/unreadable-objects.ts';

/** After this many listings that went stale during prefetch, the found versions are adopted. */
const MOST_RESTARTS = 3;

/** Runs the stages in order, up to the one that shows a tree. One revalidation runs at a time. */
export class Revalidation {
  readonly #options: RevalidationOptions;
  readonly #stages: Stages;
  /** Whether this revalidation may still wait for the listing to settle, because the limit is not reached. */
  #mayWait = true;
  /**
   * The digest of a settled listing that was not published. If this listing is found again, it need not
   * settle again.
   */
  #settledDigest: string | undefined;
  #isStepUnkept = false;
  #lookBeganAt: number | undefined;

  constructor(options: RevalidationOptions, unreadable: UnreadableObjects, restored: Partial<Restored> = {}) {
    this.#options = options;
    this.#stages = new Stages(options, unreadable, restored);
  }

  get shown(): Shown | undefined {
    return this.#stages.publisher.shown;
  }

  /** Whether the newest step of the environment would be forgotten by a restart. */
  get isStepUnkept(): boolean {
    return this.#isStepUnkept;
  }

  /** When the last look began, if that was before this class asked for it; see Look. */
  get lookBeganAt(): number | undefined {
    return this.#lookBeganAt;
  }

  get held(): HeldView | undefined {
    return this.#stages.hold.view;
  }

  /** The tree that is to be shown at its instant. */
  get armed(): Armed | undefined {
    return this.#stages.armed.view;
  }

  /** See ArmedTree. */
  dueAfter(time: number): number {
    return this.#stages.armed.dueAfter(time);
  }

  /** The tree that is shown if an operator accepts the hold. */
  get heldTree(): Generation | undefined {
    return this.#stages.hold.tree;
  }

  /** What a tree that is not shown yet waits for. */
  get waiting(): WaitingView | undefined {
    return this.#stages.waiting;
  }

  /** Milliseconds until the waiting tree is shown or held without the missing objects. */
  get waitingLeftMs(): number {
    return this.#stages.wait.leftMs;
  }

  /** Returns the node ids that this path had in earlier trees, and that the kernel may still hold. */
  replacedNodeIds(path: string): readonly number[] {
    return this.#stages.publisher.replacedNodeIds(path);
  }

  get history(): readonly HistoryEntry[] {
    return this.#stages.publisher.history;
  }

  get changeLog(): ChangeLog {
    return this.#stages.publisher.changeLog;
  }

  /** What the current prefetch has yet to fetch. */
  get pending(): PendingView {
    return this.#stages.pending;
  }

  /** The number of replaced versions that the kernel may still hold. */
  get replacedVersions(): number {
    return this.#stages.publisher.replacedVersions;
  }

  /**
   * Shows a persisted generation unchanged, with the same number and mtimes. Needs no answer from the store.
   */
  resume(restored: Restored): Promise<Shown> {
    return this.#stages.publisher.resume(restored);
  }

  /**
   * Looks at the source once, and publishes what is new. `accept` is the id of a tree that may pass the
   * guard, or of a hold of the source that is to end. Rejects with the store's error, or with SyncError; the
   * shown tree then stays.
   *
   * If objects change faster than they can be listed and fetched, the versions that were found are shown in
   * place of the listed ones.
   */
  async revalidate(accept: string | undefined, signal: AbortSignal): Promise<Revalidated> {
    this.#mayWait = true;
    const digest = acceptedBy(this.held);
    if (accept !== undefined && digest !== undefined && accept === this.held?.generation) {
      await this.#options.source.accept(digest, { signal });
    }
    const stale = new StaleVersions();
    for (let restarts = 0; ; restarts++) {
      const adoptions = restarts < MOST_RESTARTS ? undefined : new Adoptions(this.#options.cache);
      try {
        const end = await this.#once({ accept, adoptions, stale, signal });
        if (end.kind === 'current' || end.kind === 'published') this.#settledDigest = undefined;
        if (end.kind !== 'stale') return end;
        this.#options.log.info(
          { event: 'listing-outdated', path: end.path, code: end.code, restarts },
          'an object changed after the listing; dagmount lists again',
        );
      } catch (error) {
        this.#stages.wait.storeFailed();
        throw error;
      } finally {
        adoptions?.release(this.shown?.generation);
      }
    }
  }

  async #once(attempt: Attempt): Promise<Revalidated | Stale> {
    const seen = await timed(this.#options, 'list', () => this.#look(attempt.signal));
    this.#isStepUnkept = seen.isStepUnkept === true;
    this.#lookBeganAt = seen.beganAt;
    // crash point: listed. Nothing has changed.
    const { shown } = this;
    const { armed } = seen;
    if (armed?.candidate.digest !== this.armed?.candidate.digest) {
      await this.#stages.armed.release(shown?.generation, new Yielder());
    }
    // The armed tree was already shown at its instant, but the source still calls it armed.
    if (armed !== undefined && armed.candidate.digest === shown?.digest) return this.#stages.unchanged();
    if (armed !== undefined) this.#stages.armed.arm(armed);
    const end = await this.#follow(seen, attempt);
    const goesOn = end.kind === 'current' || end.kind === 'published';
    return armed === undefined || !goesOn ? end : this.#stages.goOnWith(armed, attempt, end);
  }

  async #follow(seen: Look, attempt: Attempt): Promise<Revalidated | Stale> {
    const { shown } = this;
    switch (seen.kind) {
      case 'held':
        if (shown === undefined) throw refuseHeld(seen.hold);
        return {
          kind: 'held',
          held: this.#stages.hold.hold(seen.hold.step?.digest ?? '', heldViewOf(seen.hold)),
        };
      case 'nothing':
        if (shown === undefined) throw refuseEarly(seen.armed);
        return this.#stages.unchanged();
      case 'candidate':
        return this.#settleAndShow(seen.candidate, attempt);
      default:
        return seen satisfies never;
    }
  }

  async #settleAndShow(candidate: Candidate, attempt: Attempt): Promise<Revalidated | Stale> {
    const { accept, signal } = attempt;
    const { shown } = this;
    const { digest } = candidate;
    if (shown !== undefined && digest === shown.digest) return this.#stages.unchanged();
    if (accept === undefined && this.#stages.hold.isOf(digest) && !this.#stages.isWhole) {
      const held = this.#stages.hold.view!;
      const again = this.#stages.judge(held.files);
      if (!again.pass)
        return { kind: 'held', held: this.#stages.hold.hold(digest, held, this.#stages.hold.tree) };
    }

    const settled =
      shown === undefined || this.#stages.isWhole
        ? candidate
        : await timed(this.#options, 'settle', () => this.#settle(candidate, signal));
    // crash point: settled.
    if (shown !== undefined && settled.digest === shown.digest) return this.#stages.unchanged();
    this.#settledDigest = settled.digest;
    return this.#stages.show({ candidate: settled, notBefore: undefined }, attempt);
  }

  #look(signal: AbortSignal): Promise<Look> {
    return look(this.#options.source, this.#options.log, signal);
  }

  async #settle(first: Candidate, signal: AbortSignal): Promise<Candidate> {
    const isKnown = first.digest === this.#settledDigest || this.#stages.hold.isOf(first.digest);
    if (isKnown || !this.#mayWait) return first;
    const { settleMs, clock } = this.#options;
    const list = async (until: AbortSignal): Promise<Candidate> => {
      const seen = await this.#look(until);
      return seen.kind === 'candidate' ? seen.candidate : first;
    };
    const settled = await settle({ first, settleMs, clock, signal, list });
    this.#mayWait = settled.kind === 'settled';
    return settled.listed;
  }
}
