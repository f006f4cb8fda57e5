import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { Failure } from '../failure.ts';
import { type FailedObject, type NamedObject, named } from './failed-object.ts';

/** What a tree waits for, as status shows it. Times are milliseconds since the epoch. */
export interface WaitingView {
  readonly since: number;
  /** When the tree is shown without these objects, or held; undefined while it waits for a first answer. */
  readonly until: number | undefined;
  readonly files: number;
  /** The first of these objects. */
  readonly objects: readonly NamedObject[];
}

/** An object gets at least this many tries, so that one fault within a second never costs a readable version. */
const FEWEST_TRIES = 2;
/** A retry of an object may take at least this long, even if the wait is almost over. */
const SHORTEST_TRY_MS = 1_000;

/**
 * Limits how long successive trees wait for unreadable objects in total. The time counts from the first
 * change that is not shown, so that a key that is rewritten repeatedly delays nothing for longer. Time during
 * which the store itself fails does not count.
 */
export class ObjectWait {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #waitMs: number;
  #since: number | undefined;
  #pausedAt: number | undefined;
  #tries = 0;
  #objects: readonly FailedObject[] = [];
  /** The store's last answer about each object that failed, by path. */
  #failures: ReadonlyMap<string, Failure> = new Map();
  #told = '';

  constructor(clock: Clock, log: Logger, waitMs: number) {
    this.#clock = clock;
    this.#log = log;
    this.#waitMs = waitMs;
  }

  /** Undefined while no tree waits. */
  get view(): WaitingView | undefined {
    if (this.#objects.length === 0 || this.#since === undefined) return undefined;
    const objects = named(this.#objects);
    const until = this.#since + this.#waitMs;
    return { since: this.#since, until, files: this.#objects.length, objects };
  }

  /** Call this when fetching the content of a new tree begins. */
  began(): void {
    const now = this.#clock.now();
    // A clock that stepped back must not prolong the wait.
    this.#since = Math.min(this.#since ?? now, now);
    if (this.#pausedAt !== undefined) this.#since += Math.max(0, now - this.#pausedAt);
    this.#pausedAt = undefined;
  }

  /**
   * Returns how many milliseconds a try of this path may take; `ms` is the limit for a path that is not known
   * to fail.
   */
  allowedMs(path: string, ms: number): number {
    if (this.#since === undefined || !this.#failures.has(path)) return ms;
    return Math.max(SHORTEST_TRY_MS, Math.min(ms, this.#since + this.#waitMs - this.#clock.now()));
  }

  /** Returns the same objects. An object whose try was cut short gets the answer of the previous try. */
  withAnswers(objects: readonly FailedObject[]): readonly FailedObject[] {
    return objects.map((object) => {
      const before = this.#failures.get(object.version.path);
      return object.failure.code === 'overdue' && before !== undefined
        ? { ...object, failure: before }
        : object;
    });
  }

  /**
   * Call this when the probe found that only these objects fail. Returns whether the tree continues to wait.
   */
  waitsFor(objects: readonly FailedObject[]): boolean {
    this.#objects = objects;
    this.#failures = new Map(objects.map(({ version, failure }) => [version.path, failure]));
    this.#tries += 1;
    const waited = this.#clock.now() - (this.#since ?? this.#clock.now());
    if (this.#waitMs === 0 || (this.#tries >= FEWEST_TRIES && waited >= this.#waitMs)) return false;
    this.#tell();
    return true;
  }

  /** Milliseconds until the wait ends. */
  get leftMs(): number {
    return this.#since === undefined ? this.#waitMs : this.#since + this.#waitMs - this.#clock.now();
  }

  /** Pauses the wait, because the store itself failed, not an object. */
  storeFailed(): void {
    if (this.#since !== undefined) this.#pausedAt ??= this.#clock.now();
  }

  /** Ends the wait, because a tree was shown, or there is none to show. */
  end(): void {
    if (this.#objects.length > 0) {
      this.#log.info(
        { event: 'waited-for-objects', files: this.#objects.length },
        'dagmount no longer waits for objects',
      );
    }
    this.#since = undefined;
    this.#pausedAt = undefined;
    this.#tries = 0;
    this.#objects = [];
    this.#failures = new Map();
    this.#told = '';
  }

  #tell(): void {
    const { view } = this;
    const state = JSON.stringify(view?.objects);
    const isNews = state !== this.#told;
    this.#told = state;
    const line = {
      event: 'waiting-for-objects',
      ...view,
      leftSeconds: Math.max(0, Math.round(this.leftMs / 1000)),
    } as const;
    const message = 'a tree waits for objects that cannot be had, while the store gives others';
    if (isNews) this.#log.warn(line, message);
    else this.#log.debug(line, message);
  }
}
