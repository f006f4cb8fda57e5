import type { Stop } from '../../../src/store/stop.ts';
import type { Bound, ContentCachePort, CurrentContent, Located } from '../../../src/sync/ports.ts';
import type { ContentVersion } from '../../../src/tree/index.ts';
import { type FakeSource, FakeStoreError } from './fake-source.ts';

/** A content cache in memory over a bucket in memory. It throws if it is called with nonsense. */
export class FakeCache implements ContentCachePort {
  readonly blobs = new Map<string, bigint>();
  readonly shown = new Map<string, Bound>();
  readonly #pins = new Map<string, number>();
  /** Every fetch, in order. */
  readonly fetched: string[] = [];
  /** Paths that were fetched in whatever version the store had, in order. */
  readonly adopted: string[] = [];
  /** Paths of which one byte was requested, in order. */
  readonly probed: string[] = [];
  readonly priorities: string[] = [];
  /** If true, nothing more is stored. */
  full = false;
  /** The code of the error with which a fetch fails, by path, or for all paths. */
  readonly failures = new Map<string, string>();
  allFail: string | undefined;
  /** Called before each fetch. */
  onFetch: (path: string, signal: Stop) => void | Promise<void> = () => undefined;
  inFlight = 0;
  mostInFlight = 0;
  readonly #source: FakeSource;
  /** Above ABSENT and ARRIVING. */
  #fingerprint = 1n;

  constructor(source: FakeSource) {
    this.#source = source;
  }

  async ensure(
    version: ContentVersion,
    chunk: number | undefined,
    { signal, priority }: Parameters<ContentCachePort['ensure']>[2],
  ): Promise<Located> {
    signal.throwIfAborted();
    this.priorities.push(priority);
    const key = keyOf(version, chunk);
    const fingerprint = this.blobs.get(key);
    if (fingerprint !== undefined) return { kind: 'local', fingerprint };
    this.inFlight += 1;
    this.mostInFlight = Math.max(this.mostInFlight, this.inFlight);
    try {
      await untilAborted(Promise.resolve(this.onFetch(version.path, signal)), signal);
      return this.#fetch(version, key);
    } finally {
      this.inFlight -= 1;
    }
  }

  async fetchCurrent(
    path: string,
    options: Parameters<ContentCachePort['fetchCurrent']>[1],
  ): Promise<CurrentContent> {
    const { nameOf, limitBytes, signal } = options;
    signal.throwIfAborted();
    await untilAborted(Promise.resolve(this.onFetch(path, signal)), signal);
    this.adopted.push(path);
    const failure = this.failures.get(path) ?? this.allFail;
    if (failure !== undefined) throw new FakeStoreError(failure);
    const object = this.#source.objects.get(path);
    if (object === undefined) throw new FakeStoreError('gone');
    const size = object.content.length;
    const version = { name: nameOf(object.etag, size), path, etag: object.etag, size };
    const found = { version, lastModified: Date.UTC(2025, 1, 1) };
    if (size === 0 || size > limitBytes) return { ...found, located: undefined };
    this.shown.set(version.name, 'within');
    if (this.full) return { ...found, located: { kind: 'memory', bytes: Buffer.from(object.content) } };
    this.#fingerprint += 1n;
    this.blobs.set(version.name, this.#fingerprint);
    return { ...found, located: { kind: 'local', fingerprint: this.#fingerprint } };
  }

  /** Requests one byte from the store itself. */
  readonly probe = async (path: string, signal: Stop): Promise<void> => {
    this.probed.push(path);
    await untilAborted(Promise.resolve(this.onFetch(path, signal)), signal);
    const failure = this.failures.get(path) ?? this.allFail;
    if (failure !== undefined) throw new FakeStoreError(failure);
    if (!this.#source.objects.has(path)) throw new FakeStoreError('gone');
  };

  has(version: ContentVersion, chunk?: number): boolean {
    return this.blobs.has(keyOf(version, chunk));
  }

  show(version: ContentVersion, bound: Bound): void {
    this.shown.set(version.name, bound);
  }

  hide(version: ContentVersion): void {
    this.shown.delete(version.name);
  }

  pin(name: string): void {
    this.#pins.set(name, (this.#pins.get(name) ?? 0) + 1);
  }

  unpin(name: string): void {
    const pins = this.#pins.get(name);
    if (pins === undefined) throw new Error(`${name} is not pinned`);
    if (pins === 1) this.#pins.delete(name);
    else this.#pins.set(name, pins - 1);
  }

  get pinned(): ReadonlySet<string> {
    return new Set(this.#pins.keys());
  }

  #fetch(version: ContentVersion, key: string): Located {
    this.fetched.push(version.path);
    const failure = this.failures.get(version.path) ?? this.allFail;
    if (failure !== undefined) throw new FakeStoreError(failure);
    const object = this.#source.objects.get(version.path);
    if (object === undefined) throw new FakeStoreError('gone');
    if (object.etag !== version.etag) throw new FakeStoreError('changed');
    if (this.full) return { kind: 'memory', bytes: Buffer.from(object.content) };
    this.#fingerprint += 1n;
    this.blobs.set(key, this.#fingerprint);
    return { kind: 'local', fingerprint: this.#fingerprint };
  }
}

function keyOf(version: ContentVersion, chunk: number | undefined): string {
  return chunk === undefined ? version.name : `${version.name}.${chunk}`;
}

function untilAborted(promise: Promise<void>, signal: Stop): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(new FakeStoreError('aborted'));
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort);
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
