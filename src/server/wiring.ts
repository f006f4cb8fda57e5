import type { Entries } from '../base/entries.ts';
import type { SyncOptions } from '../sync/sync.ts';

/** The parts that a revalidation runs over, each as it is used: one may be put before another. */
export type Parts = (
  parts: Pick<SyncOptions, 'source' | 'cache' | 'presenter' | 'persister'>,
) => Pick<SyncOptions, 'source' | 'cache' | 'presenter' | 'persister'>;

/** What a server is put together of. */
export interface Wiring {
  readonly parts: Parts;
  readonly entries: Entries;
}
