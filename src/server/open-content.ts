import type { Logger } from '../base/logger.ts';
import { ContentCache } from '../cache/content-cache.ts';
import type { DirectoryLock } from '../cache/directory-lock.ts';
import type { ContentStore } from '../cache/receive.ts';
import { ReplacedContent } from '../cache/replaced-content.ts';
import { systemClock } from '../sync/system-clock.ts';
import type { DaemonEvents } from '../views/events.ts';

export interface OpenContentOptions {
  /** The cache directory of this mount alone. */
  readonly directory: string;
  /** Limit of the content, in bytes. */
  readonly limitBytes: number;
  /** May resolve after the cache is opened. */
  readonly store: Promise<{ readonly content: ContentStore }>;
  /** Called when the store no longer has this content under its path. */
  readonly onReplaced: (path: string, etag: string) => void;
  /** The lock of the directory. */
  readonly lock: DirectoryLock;
  readonly events: DaemonEvents;
  readonly log: Logger;
}

/** Opens the cache of a tree, over its store. Rejects with CacheError. */
export async function openContent(options: OpenContentOptions) {
  const { directory, limitBytes, store, onReplaced, lock, events, log } = options;
  let connected: ContentStore | undefined;
  store.then(
    ({ content }) => {
      connected = content;
    },
    // Each request reports this.
    () => undefined,
  );
  const replaced = new ReplacedContent(
    {
      get: async (path, request) => (await store).content.get(path, request),
      getSmall: (path, request) => connected?.getSmall?.(path, request),
    },
    onReplaced,
  );
  const cache = await ContentCache.open({
    directory,
    limitBytes,
    // Eviction is paused, because a successor has readers before it knows which content they may be reading.
    evictionPaused: true,
    store: replaced,
    lock: () => lock,
    clock: systemClock,
    log,
    onTrouble: events.cacheTrouble,
  });
  return { cache, replaced };
}
