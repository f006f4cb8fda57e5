import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { HeldListing, HeldStep } from '../source/source.ts';
import type { Generation, GenerationChanges } from '../tree/index.ts';
import type { GuardReason } from './deletion-guard.ts';
import type { UnreadableReason } from './unreadable/verdict.ts';

/** Why a release is held because of its content: the content is unavailable, or differs from the manifest. */
export type ContentHoldReason = 'missing-pack' | 'damaged-pack';

/**
 * Why a tree or step is held: a reason of the guard, a reason of unreadable content, or the source's own (see
 * SourceHold).
 */
export type HeldReason = GuardReason | UnreadableReason | (string & {});

/**
 * A hold. It is on a tree that is not shown, or not called ready, or on a step of an environment that is not
 * followed.
 */
export interface HeldView {
  /** The id of the tree that would be shown if an operator accepted the hold. */
  readonly generation: string;
  readonly files: number;
  /** How many files of the shown tree the held tree lacks. */
  readonly removed: number;
  /** Since when listings are held, milliseconds since the epoch. */
  readonly since: number;
  readonly reason: HeldReason;
  /** One sentence that says what is wrong. */
  readonly detail: string;
  /** One sentence that says what to do. Undefined: accept the hold, or correct the listed objects. */
  readonly hint?: string | undefined;
  /** The step of a rejected release. Undefined if the step could not be read, or if a tree is held. */
  readonly step?: HeldStep | undefined;
  /**
   * The listing that the source itself holds. Undefined if the guard holds a listing, or if a release is
   * rejected.
   */
  readonly listing?: HeldListing | undefined;
  /** Whether an operator can accept the hold; undefined means yes. */
  readonly acceptable?: boolean;
}

/** The reasons that concern unreadable objects, which may be readable at the next poll. */
const FOR_OBJECTS: ReadonlySet<string> = new Set<UnreadableReason | ContentHoldReason>([
  'unreadable-objects',
  'unreadable-ignore-file',
  'missing-pack',
  'damaged-pack',
]);

/** The time between two warnings of the same hold. */
const REMINDER_MS = 600_000;

/**
 * The newest held listing or step: held by the guard, for unreadable content, or by the source. Empty while
 * listings pass.
 */
export class Hold {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #notice: (held: HeldView) => void;
  #view: HeldView | undefined;
  #digest: string | undefined;
  #tree: Generation | undefined;
  #warnedAt = 0;

  constructor(clock: Clock, log: Logger, notice: (held: HeldView) => void = () => undefined) {
    this.#notice = notice;
    this.#clock = clock;
    this.#log = log;
  }

  get view(): HeldView | undefined {
    return this.#view;
  }

  /** The tree that is shown if an operator accepts the hold. */
  get tree(): Generation | undefined {
    return this.#tree;
  }

  /** Whether exactly this listing is held. */
  isOf(digest: string): boolean {
    return this.#view !== undefined && this.#digest === digest;
  }

  /** Whether unreadable objects are the reason of the hold. Each poll then tries to read them again. */
  get isForObjects(): boolean {
    return FOR_OBJECTS.has(this.#view?.reason ?? '');
  }

  /** Holds a listing, in place of a listing that was held before. Warns at once, then every ten minutes. */
  hold(digest: string, held: Omit<HeldView, 'since'>, tree?: Generation): HeldView {
    const now = this.#clock.now();
    const before = this.#view?.generation;
    const first = this.#view === undefined;
    this.#view = Object.freeze({ ...held, since: this.#view?.since ?? now });
    this.#digest = digest;
    this.#tree = tree;
    // A clock that stepped back must not suppress the warning.
    const due = first || now - this.#warnedAt >= REMINDER_MS || now < this.#warnedAt;
    if (due) this.#warnedAt = now;
    const line = { event: 'held', held: this.#view } as const;
    const message =
      'held: the current tree stays until a listing or release passes the checks; dagmount status says what can be done';
    if (due) this.#log.warn(line, message);
    else this.#log.debug(line, message);
    if (before !== held.generation) this.#notice(this.#view);
    return this.#view;
  }

  /** Ends the hold, because a listing passed. */
  drop(): void {
    if (this.#view === undefined) return;
    this.#log.info(
      { event: 'no-longer-held', generation: this.#view.generation },
      'the held listing is no longer held',
    );
    this.#view = undefined;
    this.#digest = undefined;
    this.#tree = undefined;
  }
}

/**
 * Counts the files of the shown tree whose paths the next tree lacks. A file that became a directory is not
 * missing.
 */
export function missingFiles(previous: Generation, next: Generation, changes: GenerationChanges): number {
  let missing = 0;
  for (const index of changes.removed) if (!previous.isDirectory(index)) missing += 1;
  for (const index of changes.added) {
    if (!next.isDirectory(index)) continue;
    const old = previous.find(next.path(index));
    if (old !== -1 && !previous.isDirectory(old)) missing -= 1;
  }
  return missing;
}
