import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { HeldStep } from '../source/source.ts';
import type { Generation, GenerationChanges } from '../tree/index.ts';
import type { GuardReason } from './guard.ts';
import type { UnreadableReason } from './unreadable/verdict.ts';

/** What cannot be had of a release, or is another content than its manifest says. */
export type ContentHoldReason = 'missing-pack' | 'damaged-pack';

/** Of the guard, of content that cannot be had, or the source's own: see SourceHold. */
export type HeldReason = GuardReason | UnreadableReason | (string & {});

/** A tree that is not shown, or a step of an environment that is not followed. */
export interface HeldView {
  /** The id of the tree that would be shown. */
  readonly generation: string;
  readonly files: number;
  /** Paths of files of the tree shown that are missing. */
  readonly removed: number;
  /** Since when listings are held, milliseconds since the epoch. */
  readonly since: number;
  readonly reason: HeldReason;
  /** One sentence. */
  readonly detail: string;
  /** What to do, one sentence; undefined: to accept it, or to mend what is listed. */
  readonly hint?: string | undefined;
  /** Of a release that is not followed; undefined: it could not be read, or what is held is a tree. */
  readonly step?: HeldStep | undefined;
  /** Whether accepting it has it followed; undefined: it does. */
  readonly acceptable?: boolean;
}

/** It is held for objects that cannot be had, and may be had a poll later. */
const FOR_OBJECTS: ReadonlySet<string> = new Set<UnreadableReason | ContentHoldReason>([
  'unreadable-objects',
  'unreadable-ignore-file',
  'missing-pack',
  'damaged-pack',
]);

/** Between two warnings of the same hold. */
const REMINDER_MS = 600_000;

/** The newest listing that is held, by the guard or for objects that cannot be had; nothing while listings pass. */
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

  /** What would be shown. */
  get tree(): Generation | undefined {
    return this.#tree;
  }

  /** Whether this very listing is the one held. */
  isOf(digest: string): boolean {
    return this.#view !== undefined && this.#digest === digest;
  }

  /** Whether objects that cannot be had hold it: they are tried again with each poll. */
  get isForObjects(): boolean {
    return FOR_OBJECTS.has(this.#view?.reason ?? '');
  }

  /** Holds a listing, instead of an earlier one. Warns at once, then every ten minutes. */
  hold(digest: string, held: Omit<HeldView, 'since'>, tree?: Generation): HeldView {
    const now = this.#clock.now();
    const before = this.#view?.generation;
    const first = this.#view === undefined;
    this.#view = Object.freeze({ ...held, since: this.#view?.since ?? now });
    this.#digest = digest;
    this.#tree = tree;
    // A clock that stepped back must not silence it.
    const due = first || now - this.#warnedAt >= REMINDER_MS || now < this.#warnedAt;
    if (due) this.#warnedAt = now;
    const line = { event: 'held', held: this.#view } as const;
    const message =
      'held: the tree stays as it is until a listing passes again; to show this one: dagmount accept';
    if (due) this.#log.warn(line, message);
    else this.#log.debug(line, message);
    if (before !== held.generation) this.#notice(this.#view);
    return this.#view;
  }

  /** A listing passed. */
  drop(): void {
    if (this.#view === undefined) return;
    this.#log.info({ event: 'no-longer-held', generation: this.#view.generation }, 'no longer held');
    this.#view = undefined;
    this.#digest = undefined;
    this.#tree = undefined;
  }
}

/** Files of the tree shown whose paths are missing; one that became a directory is not. */
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
