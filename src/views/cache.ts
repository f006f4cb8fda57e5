import { Yielder } from '../base/yielder.ts';
import type { ContentCache } from '../cache/content-cache.ts';
import type { CacheViews } from '../control/cache-views.ts';
import type { BlobItem, CacheTotals, PathResult, Verified } from '../control/shapes/cache.ts';
import { codeOf, failureOf } from '../sync/failure.ts';
import { fetchEntry, isLocal } from '../sync/fetch-content.ts';
import { hasContent } from '../sync/prefetch-bound.ts';
import type { Sync } from '../sync/sync.ts';
import { type Generation, listedEtag } from '../tree/index.ts';
import { type AskedTree, askedTree, type ShownVersions } from './asked-tree.ts';
import { filesAt, type PinnedPaths } from './pinned-paths.ts';

export interface CacheObserved {
  readonly sync: Pick<Sync, 'shown' | 'view'>;
  readonly cache: Pick<ContentCache, 'stats' | 'verify' | 'inspection' | 'ensure' | 'has'>;
  readonly pins: PinnedPaths;
  /** The versions (earlier releases) beside the current tree; undefined if the mount shows none. */
  readonly versions?: ShownVersions | undefined;
  readonly directory: string;
  /** Returns how many reads the session has answered from the local disk by itself. */
  readonly sessionHits: () => number;
  /** The number of concurrent fetches. */
  readonly concurrency: number;
}

const MOST_REMOVED = 1_000;

interface Failed {
  readonly code: string;
  readonly detail: string;
}

const NOT_PINNABLE: Failed = {
  code: 'not-pinnable',
  detail: 'Only paths of the current tree are pinned: a version stays for --version-idle after its last use.',
};

/** The cache of a daemon, for the control socket. */
export class DaemonCache implements CacheViews {
  readonly #observed: CacheObserved;
  #verifying: Promise<Verified> | undefined;

  constructor(observed: CacheObserved) {
    this.#observed = observed;
  }

  totals(): CacheTotals {
    const { cache, directory, pins, sync, sessionHits } = this.#observed;
    const { degraded, hits, ...stats } = cache.stats();
    const { pending, cacheTooSmall } = sync.view;
    return {
      directory,
      ...stats,
      hits: hits + sessionHits(),
      pinnedBytes: cache.inspection.pinnedBytes,
      pinnedPaths: pins.size,
      ...pending,
      ranks: cache.inspection.ranks,
      degraded: [...degraded, ...(cacheTooSmall === undefined ? [] : (['cache-too-small'] as const))],
    };
  }

  blobs(
    before: number | undefined,
    limit: number,
  ): { readonly items: readonly BlobItem[]; readonly next: number | undefined } {
    const { blobs, next } = this.#observed.cache.inspection.blobs(before ?? Number.POSITIVE_INFINITY, limit);
    const items = blobs.map(({ label, ...blob }) => ({
      ...blob,
      path: label?.path || null,
      etag: (label && listedEtag(label.etag)) ?? null,
      size: label?.size ?? null,
      chunk: label?.chunk ?? null,
    }));
    return { items, next };
  }

  evict(paths: readonly string[], signal: AbortSignal, version?: string): Promise<PathResult[]> {
    const { inspection } = this.#observed.cache;
    return this.#each({ paths, signal, version }, async ({ generation, content }, path, found) => {
      const { files, tally, yielder } = found;
      let failed: Failed | undefined;
      for (const index of files) {
        if (yielder.due()) await yielder.turn();
        const size = generation.size(index);
        const name = generation.versionName(index);
        if (inspection.isPinned(name)) {
          failed ??= { code: 'pinned', detail: `${generation.path(index)} is pinned.` };
          continue;
        }
        const bytes = inspection.evict({ name, size });
        if (bytes === 0) continue;
        content.forget(index);
        tally.add(bytes);
      }
      return tally.result(path, failed);
    });
  }

  pin(paths: readonly string[], signal: AbortSignal, version?: string): Promise<PathResult[]> {
    const { pins } = this.#observed;
    return this.#each({ paths, signal, version }, async ({ generation }, path, { files, tally, yielder }) => {
      if (version !== undefined) return tally.result(path, NOT_PINNABLE);
      if (pins.isNamed(path)) return tally.result(path);
      if (pins.isFull) return tally.result(path, { code: 'too-many', detail: 'Too many paths are pinned.' });
      for (const index of files) {
        if (yielder.due()) await yielder.turn();
        tally.add(generation.size(index));
      }
      await pins.change({ add: [path] });
      return tally.result(path, undefined, true);
    });
  }

  async unpin(paths: readonly string[], signal: AbortSignal, version?: string): Promise<PathResult[]> {
    const { pins, sync } = this.#observed;
    const results: PathResult[] = [];
    if (version !== undefined) return paths.map((path) => new Tally().result(path, NOT_PINNABLE));
    for (const given of paths) {
      signal.throwIfAborted();
      const path = bare(given);
      const tally = new Tally();
      if (pins.isNamed(path)) {
        const tree = sync.shown?.generation;
        const yielder = new Yielder();
        for (const index of tree === undefined ? [] : filesAt(tree, path)) {
          if (yielder.due()) await yielder.turn();
          tally.add(tree?.size(index) ?? 0);
        }
        await pins.change({ remove: [path] });
        results.push(tally.result(given, undefined, true));
      } else if (pins.has(path)) {
        const detail = 'It is pinned with a directory above it: unpin that.';
        results.push(tally.result(given, { code: 'not-pinned', detail }));
      } else results.push(tally.result(given));
    }
    return results;
  }

  prefetch(paths: readonly string[], signal: AbortSignal, version?: string): Promise<PathResult[]> {
    return this.#each(
      { paths, signal: undefined, version },
      async (shown, path, { files, tally, yielder }) => {
        let failed: Failed | undefined;
        const fetchNext = async (): Promise<void> => {
          for (const index of files) {
            if (yielder.due()) await yielder.turn();
            failed ??= await this.#fetch(shown, index, tally, signal);
            if (signal.aborted) return;
          }
        };
        // All workers share one iterator, so each file is fetched once.
        await Promise.all(Array.from({ length: this.#observed.concurrency }, fetchNext));
        return tally.result(path, failed);
      },
    );
  }

  verify(): Promise<Verified> {
    // Requests during a verification share its result. It continues even if no client waits any more.
    this.#verifying ??= this.#verify(new AbortController().signal).finally(() => {
      this.#verifying = undefined;
    });
    return this.#verifying;
  }

  async #verify(signal: AbortSignal): Promise<Verified> {
    const { cache, sync } = this.#observed;
    const { blobs, bytes, corrupt } = await cache.verify({ signal });
    const keys = corrupt.slice(0, MOST_REMOVED);
    const tree = sync.shown?.generation;
    const paths = tree === undefined ? new Map<string, string>() : await pathsOf(tree, keys);
    const removed = keys.map((key) => ({ key, path: paths.get(key.slice(0, 32)) ?? null }));
    return { blobs, bytes, corrupt: corrupt.length, removed };
  }

  /** Fetches the content of one file to the local disk. Returns why that failed; undefined on success. */
  async #fetch(
    shown: AskedTree,
    index: number,
    tally: Tally,
    signal: AbortSignal,
  ): Promise<Failed | undefined> {
    const { cache } = this.#observed;
    const { generation } = shown;
    const path = generation.path(index);
    if (generation.isArchived(index)) {
      return { code: 'unreadable-class', detail: `${path} is archived and cannot be read.` };
    }
    if (!hasContent(generation, index) || isLocal(cache, generation.version(index))) return undefined;
    try {
      signal.throwIfAborted();
      const fetched = await fetchEntry(cache, shown, index, signal);
      switch (fetched.kind) {
        case 'local':
          tally.add(generation.size(index));
          return undefined;
        case 'no-room':
          return { code: 'no-room', detail: `There is no room in the cache for ${path}.` };
        case 'stale':
          return { code: fetched.code, detail: `The store has another ${path} by now.` };
        default:
          return fetched satisfies never;
      }
    } catch (error) {
      if (signal.aborted) return { code: 'timed-out', detail: 'It was not all fetched in time.' };
      return { code: codeOf(error) ?? 'internal', detail: failureOf(error).message };
    }
  }

  /** Runs a function for one path after another, each with its files in the requested tree. */
  async #each(
    { paths, signal, version }: AskedPaths,
    run: (shown: AskedTree, path: string, found: Found) => Promise<PathResult>,
  ): Promise<PathResult[]> {
    const results: PathResult[] = [];
    for (const given of paths) {
      signal?.throwIfAborted();
      const shown = askedTree(this.#observed.sync.shown, this.#observed.versions, version);
      const path = bare(given);
      const tally = new Tally();
      if (shown === undefined || shown.generation.find(path) < 0) {
        const detail = 'The tree has no such path; GET /v1/entries/{path} says why.';
        results.push(tally.result(given, { code: 'not-found', detail }));
        continue;
      }
      const files = filesAt(shown.generation, path);
      results.push({ ...(await run(shown, path, { files, tally, yielder: new Yielder() })), path: given });
    }
    return results;
  }
}

interface AskedPaths {
  readonly paths: readonly string[];
  readonly signal: AbortSignal | undefined;
  readonly version: string | undefined;
}

interface Found {
  readonly files: IterableIterator<number>;
  readonly tally: Tally;
  readonly yielder: Yielder;
}

class Tally {
  #files = 0;
  #bytes = 0;

  add(bytes: number): void {
    this.#files += 1;
    this.#bytes += bytes;
  }

  /** `changed`: whether something changed, for example a pin, even if that concerned no file. */
  result(path: string, failed?: Failed, changed = this.#files > 0): PathResult {
    return {
      path,
      outcome: failed !== undefined ? 'failed' : changed ? 'done' : 'unchanged',
      files: this.#files,
      bytes: this.#bytes,
      code: failed?.code ?? null,
      detail: failed?.detail ?? null,
    };
  }
}

/** Returns a path without slashes at its beginning and its end. */
function bare(path: string): string {
  return path.replace(/^\/+|\/+$/g, '');
}

async function pathsOf(tree: Generation, keys: readonly string[]): Promise<Map<string, string>> {
  const wanted = new Set(keys.map((key) => key.slice(0, 32)));
  const found = new Map<string, string>();
  const yielder = new Yielder();
  for (let index = 0; index < tree.entries && found.size < wanted.size; index++) {
    if (yielder.due()) await yielder.turn();
    const name = tree.versionName(index);
    if (!tree.isDirectory(index) && wanted.has(name)) found.set(name, tree.path(index));
  }
  return found;
}
