import type { ListedObject, ReleaseStore, StoredObject, WriteEnd } from '../../src/deploy/release-store.ts';
import { MemoryReleaseStore } from './memory-release-store.ts';

/** The writer's process ended: from then on, none of its calls has an effect. */
export class Killed extends Error {}
/** The answer to a call did not come. */
export class LostAnswer extends Error {}

export interface Faults {
  /** The number of the call at which the process ends; `done`: the store has executed this call. */
  readonly killed: { readonly at: number; readonly done: boolean } | undefined;
  /** The number of the call whose answer does not come. */
  readonly lost: { readonly at: number; readonly done: boolean } | undefined;
  /** The call that waits until the collector has done this many more operations. A write of a ref never waits. */
  readonly stalled: { readonly at: number; readonly operations: number } | undefined;
  /** Before it removes something, the collector waits until deployers have done this many operations. */
  readonly paused: number;
}

/** What the writers of one root share. */
export interface Interleaving {
  /** No time passes while `work` runs. */
  readonly whileRefMoves: <T>(work: () => Promise<T>) => Promise<T>;
  readonly untilCollected: (operations: number) => Promise<void>;
  readonly untilDeployed: (operations: number) => Promise<void>;
}

/** The store as one writer meets it: its process may be killed at any call, and the answer to any may be lost. */
export class FaultyReleaseStore implements ReleaseStore {
  readonly #inner: ReleaseStore;
  readonly #faults: Faults;
  readonly #interleaving: Interleaving;
  #calls = 0;

  constructor(inner: ReleaseStore, faults: Faults, interleaving: Interleaving) {
    this.#inner = inner;
    this.#faults = faults;
    this.#interleaving = interleaving;
  }

  read(key: string, most: number, signal: AbortSignal): Promise<StoredObject | undefined> {
    return this.#call(() => this.#inner.read(key, most, signal));
  }

  readRange(
    key: string,
    offset: number,
    length: number,
    signal: AbortSignal,
  ): Promise<Uint8Array | undefined> {
    return this.#call(() => this.#inner.readRange(key, offset, length, signal));
  }

  create(key: string, bytes: Uint8Array, signal: AbortSignal): Promise<WriteEnd> {
    return this.#write(key, () => this.#inner.create(key, bytes, signal));
  }

  replace(key: string, bytes: Uint8Array, etag: string, signal: AbortSignal): Promise<WriteEnd> {
    return this.#write(key, () => this.#inner.replace(key, bytes, etag, signal));
  }

  list(prefix: string, signal: AbortSignal, after?: string): Promise<readonly string[]> {
    return this.#call(() => this.#inner.list(prefix, signal, after));
  }

  async listObjects(prefix: string, signal: AbortSignal): Promise<readonly ListedObject[]> {
    const objects = await this.#call(() => this.#inner.listObjects(prefix, signal));
    // A history has a clock of its own, which a real store does not know.
    if (this.#inner instanceof MemoryReleaseStore) return objects;
    return objects.map(({ key }) => ({ key, lastModified: undefined }));
  }

  async remove(keys: readonly string[], signal: AbortSignal): Promise<void> {
    await this.#interleaving.untilDeployed(this.#faults.paused);
    return this.#call(() => this.#inner.remove(keys, signal));
  }

  #write<T>(key: string, ask: () => Promise<T>): Promise<T> {
    if (!key.startsWith('refs/')) return this.#call(ask);
    return this.#interleaving.whileRefMoves(() => this.#call(ask, false));
  }

  async #call<T>(ask: () => Promise<T>, mayStall = true): Promise<T> {
    const { killed, lost, stalled } = this.#faults;
    const number = this.#calls++;
    if (mayStall && stalled?.at === number) await this.#interleaving.untilCollected(stalled.operations);
    if (killed !== undefined && number > killed.at) throw new Killed();
    if (killed?.at === number && !killed.done) throw new Killed();
    if (lost?.at === number && !lost.done) throw new LostAnswer();
    const answer = await ask();
    if (killed?.at === number) throw new Killed();
    if (lost?.at === number) throw new LostAnswer();
    return answer;
  }
}
