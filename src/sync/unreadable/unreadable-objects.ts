import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { ContentVersion, Generation, Problem } from '../../tree/index.ts';
import type { Failure } from '../failure.ts';
import type { SyncNotice } from '../notice.ts';
import { isShown } from '../shown.ts';
import { answerOf, type FailedObject, type NamedObject } from './failed-object.ts';

interface Unreadable {
  readonly path: string;
  /** From the store's last answer. */
  readonly code: string;
  readonly detail: string;
  /**
   * Whether an operator accepted the file, or an earlier process showed it. Then it does not count toward the
   * limit.
   */
  readonly accepted: boolean;
  /**
   * When this process last tried to read the file, in milliseconds since the epoch; undefined if it has not.
   */
  readonly triedAt: number | undefined;
}

/** The unreadable files, by version name. */
type Entries = ReadonlyMap<string, Unreadable>;

/** The register of unreadable files that belongs to the next tree. */
export interface NextUnreadable {
  readonly entries: Entries;
  readonly problems: readonly Problem[];
}

/** A reader's retry within this time gets the result of the last try. */
const SAME_ANSWER_MS = 5_000;
/** The maximum number of objects that an event names. */
const MOST_IN_NOTICE = 20;

/**
 * Registers the shown files whose content is unreadable: reading them gives EIO. They are listed as
 * `problems`, and retried in the background and for readers. A file is removed when it becomes readable or is
 * no longer shown.
 */
export class UnreadableObjects {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #notice: ((notice: SyncNotice) => void) | undefined;
  #entries: Entries = new Map();
  #problems: readonly Problem[] = [];

  constructor(clock: Clock, log: Logger, notice?: ((notice: SyncNotice) => void) | undefined) {
    this.#clock = clock;
    this.#log = log;
    this.#notice = notice;
  }

  /** Returns the same array until something changes. */
  get problems(): readonly Problem[] {
    return this.#problems;
  }

  get current(): NextUnreadable {
    return { entries: this.#entries, problems: this.#problems };
  }

  has(version: Pick<ContentVersion, 'name'>): boolean {
    return this.#entries.has(version.name);
  }

  /**
   * Whether the shown version of this path is unreadable, so that a newer unreadable version makes nothing
   * worse.
   */
  hasPath(path: string): boolean {
    for (const entry of this.#entries.values()) if (entry.path === path) return true;
    return false;
  }

  /** Returns how many registered files that this tree still shows count toward the limit. */
  countIn(generation: Generation): number {
    let count = 0;
    for (const [name, { path, accepted }] of this.#entries) {
      if (!accepted && isShown(generation, { path, name })) count += 1;
    }
    return count;
  }

  /** Returns the code of the last try, if that was a moment ago; undefined otherwise. */
  failedJustNow(version: Pick<ContentVersion, 'name'>): string | undefined {
    const entry = this.#entries.get(version.name);
    if (entry?.triedAt === undefined) return undefined;
    return Math.abs(this.#clock.now() - entry.triedAt) < SAME_ANSWER_MS ? entry.code : undefined;
  }

  /** Extracts the unreadable objects that an earlier process persisted as problems; returns the other problems. */
  restore(generation: Generation, problems: readonly Problem[]): readonly Problem[] {
    const entries = new Map<string, Unreadable>();
    const others: Problem[] = [];
    for (const problem of problems) {
      if (problem.reason !== 'unreadable-object') {
        others.push(problem);
        continue;
      }
      const index = generation.find(problem.key);
      if (index <= 0 || generation.isDirectory(index)) continue;
      const { key: path, detail } = problem;
      const entry = { path, code: 'unknown', detail, accepted: true, triedAt: undefined };
      entries.set(generation.versionName(index), entry);
    }
    this.#set(entries);
    return others;
  }

  /** Returns the register for this tree: the known files that it still shows, and these failed files. */
  next(generation: Generation, failed: readonly FailedObject[], accepted: boolean): NextUnreadable {
    const entries = new Map<string, Unreadable>();
    for (const [name, entry] of this.#entries) {
      if (isShown(generation, { path: entry.path, name })) entries.set(name, entry);
    }
    for (const object of failed) entries.set(object.version.name, this.#entryOf(object, accepted));
    return { entries, problems: problemsOf(entries) };
  }

  /** Makes this register the current one. */
  use({ entries }: NextUnreadable): void {
    this.#set(entries);
  }

  /** Registers files of the shown tree as unreadable. */
  add(failed: readonly FailedObject[], accepted: boolean): void {
    const entries = new Map(this.#entries);
    for (const object of failed) entries.set(object.version.name, this.#entryOf(object, accepted));
    this.#set(entries);
  }

  /**
   * Records that a retry failed; `failure` is the store's answer, if there was one. Has no effect on files
   * that are not registered.
   */
  triedAgain(version: Pick<ContentVersion, 'name'>, failure: Failure | undefined): void {
    const before = this.#entries.get(version.name);
    if (before === undefined) return;
    const answer = failure && { code: failure.code, detail: answerOf(failure) };
    const after = { ...before, ...answer, triedAt: this.#clock.now() };
    this.#entries = new Map(this.#entries).set(version.name, after);
    if (after.detail !== before.detail) this.#problems = problemsOf(this.#entries);
  }

  /** Removes a file, because its content is local. Has no effect on files that are not registered. */
  readable(version: Pick<ContentVersion, 'name'>): void {
    if (!this.#entries.has(version.name)) return;
    const entries = new Map(this.#entries);
    entries.delete(version.name);
    this.#set(entries);
  }

  #entryOf({ version, failure }: FailedObject, accepted: boolean): Unreadable {
    const { path } = version;
    return { path, code: failure.code, detail: answerOf(failure), accepted, triedAt: this.#clock.now() };
  }

  #set(entries: Entries): void {
    const before = this.#entries;
    this.#entries = entries;
    const come = [...entries].filter(([name]) => !before.has(name));
    const gone = [...before].filter(([name]) => !entries.has(name));
    if (come.length === 0 && gone.length === 0) return;
    this.#problems = problemsOf(entries);
    const objects = namedOf([...entries.values()]);
    const files = entries.size;
    if (come.length > 0) {
      const news = namedOf(come.map(([, entry]) => entry));
      this.#log.warn(
        { event: 'unreadable-objects', files, objects: news },
        'some objects cannot be read from the store; they are shown, but reading them fails with EIO',
      );
    } else {
      const news = namedOf(gone.map(([, entry]) => entry));
      this.#log.info(
        { event: 'readable-objects', files, objects: news },
        'objects that could not be read are readable again, or are no longer shown',
      );
    }
    this.#notice?.({ kind: 'unreadable-objects', files, objects });
  }
}

function namedOf(entries: readonly Unreadable[]): readonly NamedObject[] {
  return entries.slice(0, MOST_IN_NOTICE).map(({ path, detail }) => ({ path, detail }));
}

function problemsOf(entries: Entries): readonly Problem[] {
  return [...entries.values()].map(({ path, detail }) => ({
    key: path,
    reason: 'unreadable-object' as const,
    detail,
  }));
}
