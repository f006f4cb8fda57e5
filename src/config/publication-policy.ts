import type { MountConfig } from './mount-config.ts';

/** Returns the options that decide when the mount shows another tree, and which tree. */
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
