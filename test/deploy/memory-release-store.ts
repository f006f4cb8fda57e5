import { createHash } from 'node:crypto';
import type { ListedObject, ReleaseStore, StoredObject, WriteEnd } from '../../src/deploy/release-store.ts';
import { ReleaseError } from '../../src/release/index.ts';

/**
 * The fault of one call. `lost-before`: it never reached the store. `lost-after`: its answer was lost. `refused`: the
 * store says that a condition does not hold, whatever it has.
 */
export type Fault = 'none' | 'lost-before' | 'lost-after' | 'refused';

export class LostAnswer extends Error {}

/** A release root in memory that honours conditions. Each call passes a gate, and may meet a fault. */
export class MemoryReleaseStore implements ReleaseStore {
  readonly objects = new Map<string, Uint8Array>();
  readonly calls: string[] = [];
  /** The store's clock, in milliseconds since the epoch. */
  now: () => number = () => 0;
  readonly #written = new Map<string, number>();
  /** Awaited before each call: lets a test choose which caller proceeds. */
  gate: () => Promise<void> = () => Promise.resolve();
  fault: (call: string) => Fault = () => 'none';
  /** Called at the moment of the removal or the write. The call throws what they throw. */
  beforeRemove: (keys: readonly string[]) => void = () => undefined;
  afterWrite: (key: string) => void = () => undefined;

  read(key: string, most: number): Promise<StoredObject | undefined> {
    return this.#call('read', key, () => {
      const bytes = this.objects.get(key);
      if (bytes !== undefined && bytes.length > most) {
        throw new ReleaseError(
          'malformed',
          `${key} has ${bytes.length} bytes, where ${most} are the most`,
          '',
        );
      }
      return bytes && { bytes, etag: etagOf(bytes) };
    });
  }

  readRange(key: string, offset: number, length: number): Promise<Uint8Array | undefined> {
    return this.#call('range', key, () => this.objects.get(key)?.subarray(offset, offset + length));
  }

  create(key: string, bytes: Uint8Array): Promise<WriteEnd> {
    return this.#call('create', key, () =>
      this.objects.has(key) ? { kind: 'refused' } : this.#write(key, bytes),
    );
  }

  replace(key: string, bytes: Uint8Array, etag: string): Promise<WriteEnd> {
    return this.#call('replace', key, () => {
      const there = this.objects.get(key);
      return there === undefined || etagOf(there) !== etag ? { kind: 'refused' } : this.#write(key, bytes);
    });
  }

  list(prefix: string, _signal: AbortSignal, after = ''): Promise<readonly string[]> {
    return this.#call('list', prefix, () =>
      [...this.objects.keys()].filter((key) => key.startsWith(prefix) && key > after).sort(),
    );
  }

  async listObjects(prefix: string, signal: AbortSignal): Promise<readonly ListedObject[]> {
    const keys = await this.list(prefix, signal);
    return keys.map((key) => ({ key, lastModified: this.#written.get(key) }));
  }

  remove(keys: readonly string[]): Promise<void> {
    return this.#call('remove', keys.join(' '), () => {
      this.beforeRemove(keys);
      for (const key of keys) this.objects.delete(key);
    });
  }

  #write(key: string, bytes: Uint8Array): WriteEnd {
    this.objects.set(key, bytes);
    this.#written.set(key, this.now());
    this.afterWrite(key);
    return { kind: 'written', etag: etagOf(bytes) };
  }

  async #call<T>(name: string, key: string, act: () => T): Promise<T> {
    await this.gate();
    const call = `${name} ${key}`;
    this.calls.push(call);
    const fault = this.fault(call);
    if (fault === 'lost-before') throw new LostAnswer(call);
    if (fault === 'refused') return { kind: 'refused' } as T;
    const result = act();
    if (fault === 'lost-after') throw new LostAnswer(call);
    return result;
  }
}

function etagOf(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('hex');
}
