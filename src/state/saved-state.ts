import type { ChangeLog } from '../sync/change-log.ts';
import type { Instant } from '../sync/instant.ts';
import type { TakeoverState } from '../sync/ports.ts';
import type { ReplacedInode } from '../sync/replaced-inode.ts';
import type { Generation, Problem } from '../tree/index.ts';

/** What a state belongs to: only the same mount reads it back. */
export interface StateIdentity {
  /** At most 16 characters of Latin-1. */
  readonly mountId: string;
  /** Identifies the filters (--include, --exclude) with which the tree was built. */
  readonly filters: string;
  /** The version of dagmount. */
  readonly writtenBy: string;
}

/** The small part of a state. */
export type StateFacts = Pick<
  TakeoverState,
  'number' | 'nextNodeId' | 'peaks' | 'history' | 'digest' | 'release'
> &
  Pick<StateIdentity, 'filters' | 'writtenBy'>;

/** A state read back. */
export interface SavedState extends StateFacts {
  /** With its mtimes and its number. */
  readonly generation: Generation;
  readonly instant: Instant;
  readonly problems: readonly Problem[];
  readonly changeLog: ChangeLog;
  /** Directories removed before this publication whose node ids the kernel may hold. */
  readonly removedDirectories: ReadonlyMap<string, number>;
  /** Nodes of earlier trees that the kernel may hold. */
  readonly replaced: readonly ReplacedInode[];
}
