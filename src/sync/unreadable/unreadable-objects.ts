import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { ContentVersion, Generation, Problem } from '../../tree/index.ts';
import type { Failure } from '../failure.ts';
import type { SyncNotice } from '../notice.ts';
import { isShown } from '../shown.ts';
import { answerOf, type FailedObject, type NamedObject } from './failed-object.ts';

interface Unreadable {
  readonly path: string;
  /** Of the store's last answer. */
  readonly code: string;
  readonly detail: string;
  /** An operator accepted it, or a process before this one showed it: it does not count as one too many. */
  readonly accepted: boolean;
  /** Milliseconds since the epoch; undefined where this process has not tried it. */
  readonly triedAt: number | undefined;
}

/** By version name. */
type Entries = ReadonlyMap<string, Unreadable>;

/** What becomes of the register when a tree is shown. */
export interface NextUnreadable {
  readonly entries: Entries;
  readonly problems: readonly Problem[];
}

/** A reader's try within this time of the last one is answered by what that one found. */
const SAME_ANSWER_MS = 5_000;
/** Objects named in an event. */
const MOST_IN_NOTICE = 20;

/**
 * Files that are shown although their content cannot be had: reading them gives EIO. They are `problems`, tried again
 * in the background and for readers, and forgotten once they can be had, or are shown no more.
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

  /** The same array until something changes. */
  get problems(): readonly Problem[] {
    return this.#problems;
  }

  get current(): NextUnreadable {
    return { entries: this.#entries, problems: this.#problems };
  }

  has(version: Pick<ContentVersion, 'name'>): boolean {
    return this.#entries.has(version.name);
  }

  /** Whether what is shown under this path cannot be read: a newer version that cannot either takes nothing away. */
  hasPath(path: string): boolean {
    for (const entry of this.#entries.values()) if (entry.path === path) return true;
    return false;
  }

  /** Those that count as too many, of a tree in which they are still shown. */
  countIn(generation: Generation): number {
    let count = 0;
    for (const [name, { path, accepted }] of this.#entries) {
      if (!accepted && isShown(generation, { path, name })) count += 1;
    }
    return count;
  }

  /** The code of the last try, where that was a moment ago. */
  failedJustNow(version: Pick<ContentVersion, 'name'>): string | undefined {
    const entry = this.#entries.get(version.name);
    if (entry?.triedAt === undefined) return undefined;
    return Math.abs(this.#clock.now() - entry.triedAt) < SAME_ANSWER_MS ? entry.code : undefined;
  }

  /** Takes what an earlier process knew out of its problems; returns the others. */
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

  /** What the register is once this tree is shown, with these files failed in it. */
  next(generation: Generation, failed: readonly FailedObject[], accepted: boolean): NextUnreadable {
    const entries = new Map<string, Unreadable>();
    for (const [name, entry] of this.#entries) {
      if (isShown(generation, { path: entry.path, name })) entries.set(name, entry);
    }
    for (const object of failed) entries.set(object.version.name, this.#entryOf(object, accepted));
    return { entries, problems: problemsOf(entries) };
  }

  /** The tree is shown. */
  use({ entries }: NextUnreadable): void {
    this.#set(entries);
  }

  /** These files of the tree that is shown cannot be had. */
  add(failed: readonly FailedObject[], accepted: boolean): void {
    const entries = new Map(this.#entries);
    for (const object of failed) entries.set(object.version.name, this.#entryOf(object, accepted));
    this.#set(entries);
  }

  /** It was tried again, in vain; `failure` is what the store answered, if it did. Harmless for what is not here. */
  triedAgain(version: Pick<ContentVersion, 'name'>, failure: Failure | undefined): void {
    const before = this.#entries.get(version.name);
    if (before === undefined) return;
    const answer = failure && { code: failure.code, detail: answerOf(failure) };
    const after = { ...before, ...answer, triedAt: this.#clock.now() };
    this.#entries = new Map(this.#entries).set(version.name, after);
    if (after.detail !== before.detail) this.#problems = problemsOf(this.#entries);
  }

  /** Its content is local. Harmless for what is not here. */
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
        'objects cannot be had: they are shown, and reading them gives EIO',
      );
    } else {
      const news = namedOf(gone.map(([, entry]) => entry));
      this.#log.info(
        { event: 'readable-objects', files, objects: news },
        'objects that could not be had can be read, or are shown no more',
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
