import type { Entries } from '../base/entries.ts';
import type { SyncOptions } from '../sync/sync.ts';

/** The parts of a revalidation. Each can be wrapped by another. */
export type Parts = (
  parts: Pick<SyncOptions, 'source' | 'cache' | 'presenter' | 'persister'>,
) => Pick<SyncOptions, 'source' | 'cache' | 'presenter' | 'persister'>;

/** The parts of which a server is composed. */
export interface Wiring {
  readonly parts: Parts;
  readonly entries: Entries;
}
