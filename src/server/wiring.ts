import type { Entries } from '../base/entries.ts';
import type { SyncOptions } from '../sync/sync.ts';

/** Receives the parts that a Sync uses, and returns them, each of them possibly wrapped. */
export type Parts = (
  parts: Pick<SyncOptions, 'source' | 'cache' | 'presenter' | 'persister'>,
) => Pick<SyncOptions, 'source' | 'cache' | 'presenter' | 'persister'>;

/** The parts of which a server is composed. */
export interface Wiring {
  readonly parts: Parts;
  readonly entries: Entries;
}
