import type { MountConfig } from './mount-config.ts';

/** The options that decide when another tree is shown, and which. */
export function publicationPolicy(config: MountConfig) {
  return {
    pollMs: config.pollIntervalMs,
    settleMs: config.settleMs,
    unreadableWaitMs: config.unreadableWaitMs,
    maxDelete: config.maxDelete,
    allowEmpty: config.allowEmpty,
    prefetchBytes: config.prefetchBytes,
    cacheBytes: config.cacheSizeBytes,
    concurrency: config.concurrency,
  };
}
