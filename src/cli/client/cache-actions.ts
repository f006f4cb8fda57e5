/** The actions of dagmount cache, in the order of its help. */
export const cacheActions = ['stats', 'ls', 'evict', 'pin', 'unpin', 'prefetch', 'verify'] as const;

export type CacheAction = (typeof cacheActions)[number];
