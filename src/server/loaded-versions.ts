import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import { childOf, type Deferred, deferred, orAborted, startAlarm } from '../base/waiting.ts';
import {
  type ServedVersion,
  servedTree,
  type VersionAnswer,
  type VersionsServed,
} from '../session/messages.ts';
import type { SessionClient } from '../session/session-client.ts';
import { versionSlot } from '../session/trees/node-ranges.ts';
import type { FoundVersion, VersionSource } from '../source/version-source.ts';
import type { KeptVersion, VersionDirectory } from '../state/version-directory.ts';
import { ContentState } from '../sync/content-state.ts';
import { codeOf } from '../sync/failure.ts';
import { instantOf } from '../sync/instant.ts';
import type { Shown } from '../sync/shown.ts';
import { type ReaderUid, Turns } from '../sync/turns.ts';
import type { VersionContent, VersionTarget } from '../sync/version-content.ts';
import { type Generation, withoutHistory } from '../tree/index.ts';
import type { ShownVersion } from '../views/asked-tree.ts';

export interface LoadedVersionsOptions {
  readonly directory: Pick<VersionDirectory, 'write' | 'used' | 'remove'>;
  readonly kept: readonly KeptVersion[];
  /** Milliseconds since the epoch: the mtime of the mount's root. */
  readonly madeAt: number;
  readonly salt: bigint;
  /** The number of most recently used versions that stay, however long ago their last use was. */
  readonly keep: number;
  /** How long other versions stay after their last use. */
  readonly idleMs: number;
  /** How long a look-up waits for the source. */
  readonly deadlineMs: number;
  readonly session: Pick<SessionClient, 'dropVersion'>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The maximum number of look-ups that ask the store at a time. */
const LOOKUPS = 4;
/**
 * The maximum number of shown versions: each is a tree in memory, and the kernel may hold all of its nodes
 * while the kernel has memory.
 */
export const MOST_VERSIONS = 64;
const TIDY_MS = 60_000;
const UNAVAILABLE: VersionAnswer = { kind: 'unavailable' };

interface LoadedVersion extends VersionTarget {
  readonly served: ServedVersion;
  lastUsed: number;
}

/**
 * How a look-up of a version that was not shown ended. `held`: the store has the version, but it failed
 * verification. `refused`: there is no room. `unavailable`: the store is in trouble. `abandoned`: every
 * reader gave up before the answer.
 */
export type LookupOutcome = 'found' | 'absent' | 'held' | 'refused' | 'unavailable' | 'abandoned';

/** The parts of the complete server that versions need. */
export interface VersionMeans {
  readonly source: VersionSource;
  readonly content: Pick<VersionContent, 'add' | 'used' | 'drop'>;
  /** What the current tree shows. */
  readonly shown: () => Pick<Shown, 'generation' | 'release'> | undefined;
}

type Found = readonly [outcome: LookupOutcome, answer: VersionAnswer];

/**
 * The versions (earlier releases) that a mount shows beside its current tree. The first look-up of a version
 * loads it, and each use keeps it longer. A version is written to the local disk before the kernel gets any
 * of its node ids, so that a successor knows the version, too.
 */
export class LoadedVersions {
  readonly #options: LoadedVersionsOptions;
  readonly #versions = new Map<string, LoadedVersion>();
  /** The slots of the versions that are being written. */
  readonly #coming = new Set<number>();
  readonly #turns = new Turns({ requests: LOOKUPS, bytes: LOOKUPS });
  readonly #means: Deferred<Pick<VersionMeans, 'source' | 'shown'>> = deferred();
  readonly #lookups: Record<LookupOutcome, number> = {
    found: 0,
    absent: 0,
    held: 0,
    refused: 0,
    unavailable: 0,
    abandoned: 0,
  };
  #waiting = 0;
  #content: VersionMeans['content'] | undefined;
  #changedAt: number;
  /** The code of the last failed look-up; if it repeats, it is logged at debug level. */
  #trouble: string | undefined;

  constructor(options: LoadedVersionsOptions) {
    this.#options = options;
    this.#changedAt = options.clock.now();
    for (const { id, generation, lastUsed } of options.kept) this.#put(id, generation, lastUsed);
  }

  get size(): number {
    return this.#versions.size;
  }

  /** Look-ups that have ended. */
  get lookups(): Readonly<Record<LookupOutcome, number>> {
    return this.#lookups;
  }

  /** Look-ups that wait for the source. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Returns a version; undefined if it is not shown. */
  version(id: string): ShownVersion | undefined {
    return this.#versions.get(id);
  }

  /** The versions that a session is started with. */
  get served(): VersionsServed {
    return {
      versions: [...this.#versions.values()].map(({ served }) => served),
      madeAt: instantOf(this.#options.madeAt),
      changedAt: instantOf(this.#changedAt),
    };
  }

  /** Gives look-ups a source to ask. Resolves when the cache knows the content of all shown versions. */
  async open({ source, content, shown }: VersionMeans): Promise<void> {
    this.#content = content;
    const known = [...this.#versions.values()].map((version) => content.add(version));
    this.#means.resolve({ source, shown });
    await Promise.all(known);
  }

  /** Finds a version for a look-up: a shown one at once, another one in the source. Never rejects. */
  async find(id: string, reader: ReaderUid, signal: AbortSignal): Promise<VersionAnswer> {
    const { clock, deadlineMs } = this.#options;
    const { controller, release } = childOf(signal);
    const alarm = startAlarm(clock, deadlineMs, () => controller.abort());
    let done: (() => void) | undefined;
    this.#waiting += 1;
    try {
      done = await this.#turns.take(reader, 1, controller.signal);
      const [outcome, answer] = await this.#find(id, controller.signal);
      this.#lookups[outcome] += 1;
      return answer;
    } catch (error) {
      this.#lookups[signal.aborted ? 'abandoned' : 'unavailable'] += 1;
      if (!signal.aborted) this.#tell(id, alarm.rang ? 'deadline' : (codeOf(error) ?? 'internal'), error);
      return UNAVAILABLE;
    } finally {
      this.#waiting -= 1;
      done?.();
      release();
      alarm.stop();
    }
  }

  used(id: string): void {
    const version = this.#versions.get(id);
    if (version === undefined) return;
    version.lastUsed = this.#options.clock.now();
    this.#content?.used(id);
    void this.#options.directory.used(id, version.lastUsed);
  }

  /** Drops versions that were not used for long, until the signal is aborted. */
  async tidy(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    while (!signal.aborted) {
      await clock.sleep(TIDY_MS, signal).catch(() => undefined);
      if (!signal.aborted) await this.dropIdle();
    }
  }

  async dropIdle(): Promise<void> {
    const { clock, idleMs } = this.#options;
    const now = clock.now();
    for (const { id, lastUsed } of this.#beyondKept()) {
      if (now - lastUsed > idleMs) await this.#drop(id);
    }
  }

  async #find(id: string, signal: AbortSignal): Promise<Found> {
    const there = this.#versions.get(id);
    if (there !== undefined) return ['found', this.#answer(there)];
    const { source, shown } = await orAborted(this.#means.promise, signal);
    const current = this.#currentAs(id, shown());
    if (current !== undefined) return await this.#take(id, current, signal);
    const found = await source.findVersion(id, { signal });
    switch (found.kind) {
      case 'absent':
        return ['absent', found];
      case 'held':
        this.#held(id, found);
        return ['held', UNAVAILABLE];
      case 'found':
        return await this.#take(id, found.generation, signal);
      default:
        return found satisfies never;
    }
  }

  /**
   * Returns the current tree as a version, if it has the requested id. This needs no request, so it works
   * while the store is down. The tree's step was judged when the tree was published.
   */
  #currentAs(id: string, shown: ReturnType<VersionMeans['shown']>): Generation | undefined {
    if (shown?.release?.id !== id) return undefined;
    return withoutHistory(shown.generation, shown.release.created, this.#options.clock.now());
  }

  async #take(id: string, generation: Generation, signal: AbortSignal): Promise<Found> {
    const { clock, log, salt } = this.#options;
    const slot = versionSlot(id, salt);
    if (!this.#isFree(slot)) return this.#refuse(id);
    this.#coming.add(slot);
    try {
      if (!(await this.#makeRoom())) return this.#refuse(id);
      await this.#write(id, generation, signal);
      const version = this.#put(id, generation, clock.now());
      this.#trouble = undefined;
      log.info({ event: 'version-found', version: id, files: generation.files }, 'a version is shown');
      void this.#content?.add(version);
      this.#content?.used(id);
      return ['found', this.#answer(version)];
    } finally {
      this.#coming.delete(slot);
    }
  }

  async #write(id: string, generation: Generation, signal: AbortSignal): Promise<void> {
    const { directory } = this.#options;
    try {
      await orAborted(directory.write(id, generation), signal);
    } catch (error) {
      // No reader waits any more, so this server does not show the version, and a successor must not either.
      // The directory runs changes in order: the removal follows this write, and precedes that of a later
      // look-up.
      void directory.remove(id);
      throw error;
    }
  }

  #refuse(version: string): Found {
    this.#options.log.warn(
      { event: 'version-refused', version, versions: this.size },
      'the limit of shown versions is reached, and the kernel uses all of them',
    );
    return ['refused', UNAVAILABLE];
  }

  #put(id: string, generation: Generation, lastUsed: number): LoadedVersion {
    const content = new ContentState(generation.entries);
    const slot = versionSlot(id, this.#options.salt);
    const served = { id, slot, ...servedTree({ generation, fingerprints: content.fingerprints }) };
    const version = { id, generation, content, served, lastUsed };
    this.#versions.set(id, version);
    this.#change();
    return version;
  }

  #answer(version: LoadedVersion): VersionAnswer {
    return { kind: 'found', version: version.served, changedAt: instantOf(this.#changedAt) };
  }

  #isFree(slot: number): boolean {
    return (
      !this.#coming.has(slot) && ![...this.#versions.values()].some(({ served }) => served.slot === slot)
    );
  }

  async #makeRoom(): Promise<boolean> {
    const isRoom = (): boolean => this.size + this.#coming.size <= MOST_VERSIONS;
    for (const { id } of isRoom() ? [] : this.#beyondKept().reverse()) {
      await this.#drop(id);
      if (isRoom()) break;
    }
    return isRoom();
  }

  /** Drops a version, unless the kernel holds nodes of it. */
  async #drop(id: string): Promise<void> {
    const { session, directory, log } = this.#options;
    this.#change();
    if (!(await session.dropVersion(id, instantOf(this.#changedAt)))) return;
    this.#versions.delete(id);
    // Requested at once, so that the removal precedes the write of a look-up that shows the version again.
    const removed = directory.remove(id);
    await this.#content?.drop(id);
    await removed;
    log.info({ event: 'version-dropped', version: id }, 'a version without users is no longer shown');
  }

  /** The versions beyond the number to keep, the most recently used first. */
  #beyondKept(): LoadedVersion[] {
    return [...this.#versions.values()]
      .sort((one, other) => other.lastUsed - one.lastUsed)
      .slice(this.#options.keep);
  }

  /** Sets a change time that is later than the previous one, even if the clock steps back. */
  #change(): void {
    this.#changedAt = Math.max(this.#options.clock.now(), this.#changedAt + 1);
  }

  #held(version: string, { hold }: Extract<FoundVersion, { readonly kind: 'held' }>): void {
    const { reason, detail, hint } = hold;
    this.#options.log.warn(
      { event: 'version-held', version, reason, detail, hint },
      'a version failed verification, and is not shown',
    );
  }

  #tell(version: string, code: string, err: unknown): void {
    const line = { event: 'version-unavailable', version, code } as const;
    const message = 'the store could not say whether the version exists';
    const { log } = this.#options;
    if (code === 'internal') log.error({ ...line, err }, message);
    else if (code === this.#trouble) log.debug(line, message);
    else log.warn(line, message);
    this.#trouble = code;
  }
}
