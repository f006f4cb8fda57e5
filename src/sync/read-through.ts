import type { ContentVersion, Generation } from '../tree/index.ts';
import { codeOf, isSourceDown, isStale } from './failure.ts';
import type { Clock, ContentCachePort, Located, Logger } from './ports.ts';
import { childOf } from './waiting.ts';

export type ReadErrno = 'EIO' | 'ESTALE';

export type ReadResult =
  | Located
  /** `code`: that of the store's error, `deadline`, `source-down`, or `aborted`: nobody waits any more. */
  | { readonly kind: 'error'; readonly errno: ReadErrno; readonly code: string };

export interface ReadThroughOptions {
  readonly cache: ContentCachePort;
  readonly clock: Clock;
  readonly log: Logger;
  /** Whether every request to the store is known to fail. */
  readonly isSourceDown: () => boolean;
  /** The tree that is shown. */
  readonly generation: () => Generation | undefined;
  /** A version of the tree shown was made local. */
  readonly found: (version: ContentVersion, located: Located) => void;
  /** Asks for a new listing: the store has not what the tree shows, or does not answer. */
  readonly refresh: () => void;
}

/** Counts of reads that ended in an errno. */
export type ReadErrors = Readonly<Record<ReadErrno, number>>;

/** Reads of what is not local: for the session's misses. */
export class ReadThrough {
  readonly #options: ReadThroughOptions;
  readonly #errors: Record<ReadErrno, number> = { EIO: 0, ESTALE: 0 };

  constructor(options: ReadThroughOptions) {
    this.#options = options;
  }

  get errors(): ReadErrors {
    return { ...this.#errors };
  }

  /**
   * Makes one blob of a version local, ahead of all prefetching. Never rejects: EIO past the deadline or where the
   * store fails, at once while it is known to be down; ESTALE where it has this version no more, for which a
   * refresh is then under way.
   */
  async readVersion(
    version: ContentVersion,
    chunk: number | undefined,
    { deadlineMs, signal }: { readonly deadlineMs: number; readonly signal: AbortSignal },
  ): Promise<ReadResult> {
    const { cache, clock, found } = this.#options;
    // What is in the cache needs no store, unless it turns out to be rotten.
    if (this.#options.isSourceDown() && !cache.has(version, chunk)) return this.#fail('EIO', 'source-down');
    const { controller, release } = childOf(signal);
    const over = new AbortController();
    let late = false;
    const timer = clock.sleep(deadlineMs, over.signal).then(
      () => {
        late = true;
        controller.abort();
      },
      () => undefined,
    );
    try {
      const located = await cache.ensure(version, chunk, {
        signal: controller.signal,
        priority: 'demand',
      });
      if (chunk === undefined) found(version, located);
      return located;
    } catch (error) {
      if (signal.aborted) return { kind: 'error', errno: 'EIO', code: 'aborted' };
      return this.#failed(version, late ? 'deadline' : (codeOf(error) ?? 'internal'), error);
    } finally {
      release();
      over.abort();
      await timer;
    }
  }

  #failed(version: ContentVersion, code: string, error: unknown): ReadResult {
    const { generation, refresh, log } = this.#options;
    if (code === 'internal') log.error({ err: error, path: version.path }, 'a read failed unforeseen');
    if (isStale(code)) {
      // A replaced version that somebody still reads says nothing about the tree shown.
      if (isShown(generation(), version)) refresh();
      return this.#fail('ESTALE', code);
    }
    // Whether the source is down is then known to all readers, not found out by each of them.
    if (code === 'deadline' || isSourceDown(code)) refresh();
    return this.#fail('EIO', code);
  }

  #fail(errno: ReadErrno, code: string): ReadResult {
    this.#errors[errno] += 1;
    return { kind: 'error', errno, code };
  }
}

/** Whether the tree shows this very version. */
export function isShown(generation: Generation | undefined, version: ContentVersion): boolean {
  if (generation === undefined) return false;
  const index = generation.find(version.path);
  return index > 0 && !generation.isDirectory(index) && generation.versionName(index) === version.name;
}
