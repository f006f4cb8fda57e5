import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { ContentVersion } from '../../src/base/content-version.ts';
import { blobPath } from '../../src/cache/blob-path.ts';
import { CacheError } from '../../src/cache/cache-error.ts';
import { blobRange } from '../../src/cache/chunks.ts';
import { ContentCache, type ContentCacheOptions, type Located } from '../../src/cache/content-cache.ts';
import type { LockDirectory } from '../../src/cache/directory-lock.ts';
import { mountDirectory } from '../../src/cache/private-directory.ts';
import type { ContentStore } from '../../src/cache/receive.ts';
import { fingerprintOf } from '../../src/cache/verification.ts';
import type { GetOptions, ObjectBody } from '../../src/store/object-store.ts';
import type { Stop } from '../../src/store/stop.ts';
import { StoreError } from '../../src/store/store-error.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { RecordingLog } from '../support/recording-log.ts';

/** The version that src/tree would name: 32 hex digits over path, etag and size. */
export function versionOf(path: string, content: Uint8Array): ContentVersion {
  const etag = createHash('md5').update(content).digest('hex');
  const hash = createHash('sha256');
  for (const field of [path, etag, String(content.length)]) {
    hash.update(`${Buffer.byteLength(field)}:`).update(field);
  }
  return { name: hash.digest('hex').slice(0, 32), path, etag, size: content.length };
}

export interface Request {
  readonly path: string;
  readonly ifMatch: string | undefined;
  readonly range: { readonly start: number; readonly end: number } | undefined;
  readonly priority: string | undefined;
  readonly signal: Stop;
}

/** A store in memory that records its requests; hold() delays its answers. */
export class MemoryStore implements ContentStore {
  readonly requests: Request[] = [];
  readonly #objects = new Map<string, Buffer>();
  #gate: Promise<void> | undefined;
  #open: (() => void) | undefined;
  /** Alters the body of the next answers. */
  tamper: (body: Uint8Array) => Uint8Array = (body) => body;
  partBytes = 64 * 1024;
  honoursIfMatch = true;

  put(path: string, content: Uint8Array): ContentVersion {
    this.#objects.set(path, Buffer.from(content));
    return versionOf(path, content);
  }

  /** Puts an object of random content. */
  putRandom(path: string, bytes: number): ContentVersion {
    return this.put(path, randomBytes(bytes));
  }

  content(path: string): Buffer {
    return this.#objects.get(path)!;
  }

  /** Holds all answers until release(). */
  hold(): void {
    this.#gate = new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  release(): void {
    this.#open?.();
    this.#gate = undefined;
  }

  async get(path: string, options: GetOptions): Promise<ObjectBody> {
    const { ifMatch, range, signal, priority } = options;
    this.requests.push({ path, ifMatch, range, signal, priority });
    await this.#pass(signal);
    const object = this.#objects.get(path);
    if (object === undefined) throw new StoreError('gone', path, 'None.', false);
    const { etag } = versionOf(path, object);
    if (this.honoursIfMatch && ifMatch !== undefined && ifMatch !== etag)
      throw new StoreError('changed', path, 'None.', false);
    const body = this.tamper(range === undefined ? object : object.subarray(range.start, range.end));
    const { length: size } = object;
    return { etag, size, lastModified: 0, versionId: undefined, body: this.#parts(body, signal) };
  }

  async *#parts(body: Uint8Array, signal: Stop): AsyncGenerator<Uint8Array> {
    for (let start = 0; start < body.length; start += this.partBytes) {
      signal.throwIfAborted();
      yield body.subarray(start, start + this.partBytes);
    }
  }

  async #pass(signal: Stop): Promise<void> {
    signal.throwIfAborted();
    const gate = this.#gate;
    if (gate === undefined) return;
    await new Promise<void>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
      gate.then(resolve, reject);
    });
  }
}

/** Excludes other openers within this process, as flock(2) does between processes. */
export function lockDouble(): LockDirectory {
  const held = new Set<string>();
  return (path) => {
    if (held.has(path)) throw new CacheError('cache-in-use', `${path} is locked.`, 'Unmount the other one.');
    held.add(path);
    return { release: () => held.delete(path) };
  };
}

/** One cache directory with its store and clock, for the processes that use it one after another. */
export class Fixture {
  readonly directory: string;
  readonly store = new MemoryStore();
  readonly clock = new FakeClock();
  readonly log = new RecordingLog();
  readonly lock = lockDouble();
  readonly signal = new AbortController().signal;
  readonly #open: ContentCache[] = [];

  constructor(directory: string) {
    this.directory = directory;
  }

  async open(options: Partial<ContentCacheOptions> = {}): Promise<ContentCache> {
    const { directory, store, clock, log, lock } = this;
    const cache = await ContentCache.open({
      directory,
      store,
      clock,
      log,
      lock,
      limitBytes: 64 * 1024 * 1024,
      ...options,
    });
    this.#open.push(cache);
    return cache;
  }

  async close(): Promise<void> {
    for (const cache of this.#open) await cache.close();
  }

  path(version: ContentVersion, chunk?: number): string {
    return blobPath(this.directory, version.name, chunk);
  }

  /** Alters a blob's file in place. */
  damage(version: ContentVersion, change: (bytes: Buffer) => void): void {
    const bytes = readFileSync(this.path(version));
    change(bytes);
    writeFileSync(this.path(version), bytes);
  }

  /** All files below `blobs`, by their path relative to it. */
  files(): string[] {
    const root = join(this.directory, 'blobs');
    return readdirSync(root, { recursive: true, encoding: 'utf8' })
      .filter((path) => statSync(join(root, path), { throwIfNoEntry: false })?.isFile() === true)
      .sort();
  }
}

/** Reads as a session does: returns the content if the blob's file has the fingerprint that main gave. */
export function readLocal(
  f: Pick<Fixture, 'path'>,
  version: ContentVersion,
  located: Located,
  chunk?: number,
): Buffer {
  assert.equal(located.kind, 'local');
  const path = f.path(version, chunk);
  assert.equal(
    fingerprintOf(lstatSync(path, { bigint: true })),
    located.kind === 'local' && located.fingerprint,
  );
  const { start, end } = blobRange(version.size, chunk);
  return readFileSync(path).subarray(0, end - start);
}

/** The content that was not kept on disk. */
export function readMemory(located: Located): Buffer {
  assert.equal(located.kind, 'memory');
  return Buffer.from(located.kind === 'memory' ? located.bytes : []);
}

export function ensure(
  cache: ContentCache,
  { signal }: Pick<Fixture, 'signal'>,
  version: ContentVersion,
  chunk?: number,
): Promise<Located> {
  return cache.ensure(version, chunk, { signal });
}

/** A fixture in a directory of its own, or below `root`. When the test ends, it is closed and `root` removed. */
export function fixture(
  test: TestContext,
  root: string = mkdtempSync(join(tmpdir(), 'dagmount-cache-')),
): Fixture {
  const made = new Fixture(mountDirectory(root, '0123456789ab'));
  test.after(async () => {
    await made.close();
    rmSync(root, { recursive: true, force: true });
  });
  return made;
}
