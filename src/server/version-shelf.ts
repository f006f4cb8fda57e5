import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import { childOf, type Deferred, deferred, orAborted, startAlarm } from '../base/waiting.ts';
import type { ServedVersion, VersionAnswer, VersionsServed } from '../session/messages.ts';
import type { SessionClient } from '../session/session-client.ts';
import { versionSlot } from '../session/trees/node-ranges.ts';
import type { FoundVersion, VersionSource } from '../source/version-source.ts';
import type { KeptVersion, VersionDirectory } from '../state/version-directory.ts';
import { codeOf } from '../sync/failure.ts';
import { instantOf } from '../sync/instant.ts';
import { type ReaderUid, Turns } from '../sync/turns.ts';
import type { Generation } from '../tree/index.ts';

export interface VersionShelfOptions {
  readonly directory: Pick<VersionDirectory, 'write' | 'used' | 'remove'>;
  readonly kept: readonly KeptVersion[];
  /** Milliseconds since the epoch: the mtime of the mount's root. */
  readonly madeAt: number;
  readonly salt: bigint;
  /** As many of those used last stay, however long ago that was. */
  readonly keep: number;
  /** Others stay for so long after their last use. */
  readonly idleMs: number;
  /** How long a look-up waits for the source. */
  readonly deadlineMs: number;
  readonly session: Pick<SessionClient, 'dropVersion'>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Look-ups that ask the store at a time. */
const LOOKUPS = 4;
/** Each is a tree in memory, and the kernel may hold all of its nodes for as long as it has memory. */
export const MOST_VERSIONS = 64;
const TIDY_MS = 60_000;

interface Shelved extends ServedVersion {
  lastUsed: number;
}

/**
 * The versions that a mount shows beside its current tree: found at the first look-up, kept by use. A version is on the local
 * disk before a node id of it reaches the kernel, so that a successor knows it, too.
 */
export class VersionShelf {
  readonly #options: VersionShelfOptions;
  readonly #versions = new Map<string, Shelved>();
  /** The slots of those that are being written. */
  readonly #coming = new Set<number>();
  readonly #turns = new Turns({ requests: LOOKUPS, bytes: LOOKUPS });
  readonly #source: Deferred<VersionSource> = deferred();
  #changedAt: number;
  /** Of the last look-up that failed; the same again is not told of as loudly. */
  #trouble: string | undefined;

  constructor(options: VersionShelfOptions) {
    this.#options = options;
    this.#changedAt = options.clock.now();
    for (const { id, generation, lastUsed } of options.kept) this.#put(id, generation, lastUsed);
  }

  get size(): number {
    return this.#versions.size;
  }

  /** What a session is told at its start. */
  get served(): VersionsServed {
    return {
      versions: [...this.#versions.values()],
      madeAt: instantOf(this.#options.madeAt),
      changedAt: instantOf(this.#changedAt),
    };
  }

  /** From now on there is somebody to ask. */
  open(source: VersionSource): void {
    this.#source.resolve(source);
  }

  /** Rejects never. */
  async find(id: string, reader: ReaderUid, signal: AbortSignal): Promise<VersionAnswer> {
    const { clock, deadlineMs } = this.#options;
    const { controller, release } = childOf(signal);
    const alarm = startAlarm(clock, deadlineMs, () => controller.abort());
    let done: (() => void) | undefined;
    try {
      done = await this.#turns.take(reader, 1, controller.signal);
      return await this.#find(id, controller.signal);
    } catch (error) {
      if (!signal.aborted) this.#tell(id, alarm.rang ? 'deadline' : (codeOf(error) ?? 'internal'), error);
      return { kind: 'unavailable' };
    } finally {
      done?.();
      release();
      alarm.stop();
    }
  }

  used(id: string): void {
    const version = this.#versions.get(id);
    if (version === undefined) return;
    version.lastUsed = this.#options.clock.now();
    void this.#options.directory.used(id, version.lastUsed);
  }

  /** Lets versions go that nobody has used for long, until the signal is aborted. */
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

  async #find(id: string, signal: AbortSignal): Promise<VersionAnswer> {
    const there = this.#versions.get(id);
    if (there !== undefined) return this.#answer(there);
    const source = await orAborted(this.#source.promise, signal);
    const found = await source.findVersion(id, { signal });
    switch (found.kind) {
      case 'absent':
        return found;
      case 'held':
        this.#held(id, found);
        return { kind: 'unavailable' };
      case 'found':
        return await this.#take(id, found.generation, signal);
      default:
        return found satisfies never;
    }
  }

  async #take(id: string, generation: Generation, signal: AbortSignal): Promise<VersionAnswer> {
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
      return this.#answer(version);
    } finally {
      this.#coming.delete(slot);
    }
  }

  async #write(id: string, generation: Generation, signal: AbortSignal): Promise<void> {
    const { directory } = this.#options;
    const writing = directory.write(id, generation);
    try {
      await orAborted(writing, signal);
    } catch (error) {
      // Nobody waits any more, so it is not shown: a successor is not to show it either.
      void writing.then(() => (this.#versions.has(id) ? undefined : directory.remove(id)));
      throw error;
    }
  }

  #refuse(version: string): VersionAnswer {
    this.#options.log.warn(
      { event: 'version-refused', version, versions: this.size },
      'there is no room for another version: the kernel holds those that are here',
    );
    return { kind: 'unavailable' };
  }

  #put(id: string, generation: Generation, lastUsed: number): Shelved {
    const version = {
      id,
      slot: versionSlot(id, this.#options.salt),
      generation: generation.buffer,
      fingerprints: new SharedArrayBuffer(8 * generation.entries),
      lastUsed,
    };
    this.#versions.set(id, version);
    this.#change();
    return version;
  }

  #answer(version: Shelved): VersionAnswer {
    return { kind: 'found', version, changedAt: instantOf(this.#changedAt) };
  }

  #isFree(slot: number): boolean {
    return !this.#coming.has(slot) && ![...this.#versions.values()].some((version) => version.slot === slot);
  }

  async #makeRoom(): Promise<boolean> {
    const isRoom = (): boolean => this.size + this.#coming.size <= MOST_VERSIONS;
    for (const { id } of isRoom() ? [] : this.#beyondKept().reverse()) {
      await this.#drop(id);
      if (isRoom()) break;
    }
    return isRoom();
  }

  /** It stays if the kernel holds nodes of it. */
  async #drop(id: string): Promise<void> {
    const { session, directory, log } = this.#options;
    this.#change();
    if (!(await session.dropVersion(id, instantOf(this.#changedAt)))) return;
    this.#versions.delete(id);
    await directory.remove(id);
    log.info({ event: 'version-dropped', version: id }, 'a version that nobody uses is shown no more');
  }

  /** The one used last first. */
  #beyondKept(): Shelved[] {
    return [...this.#versions.values()]
      .sort((one, other) => other.lastUsed - one.lastUsed)
      .slice(this.#options.keep);
  }

  /** Later each time. */
  #change(): void {
    this.#changedAt = Math.max(this.#options.clock.now(), this.#changedAt + 1);
  }

  #held(version: string, { hold }: Extract<FoundVersion, { readonly kind: 'held' }>): void {
    const { reason, detail, hint } = hold;
    this.#options.log.warn(
      { event: 'version-held', version, reason, detail, hint },
      'a version is not believed, and is not shown',
    );
  }

  #tell(version: string, code: string, err: unknown): void {
    const line = { event: 'version-unavailable', version, code } as const;
    const message = 'whether there is such a version could not be found out';
    const { log } = this.#options;
    if (code === 'internal') log.error({ ...line, err }, message);
    else if (code === this.#trouble) log.debug(line, message);
    else log.warn(line, message);
    this.#trouble = code;
  }
}
