import type { ChangeLog } from '../sync/change-log.ts';
import type { Instant } from '../sync/instant.ts';
import type { TakeoverState } from '../sync/ports.ts';
import type { ReplacedInode } from '../sync/replaced-inode.ts';
import type { Generation, Problem } from '../tree/index.ts';

/**
 * Identifies the mount, the filters and the dagmount that write a state. Only the same mount reads it back.
 */
export interface StateIdentity {
  /** At most 16 characters of Latin-1. */
  readonly mountId: string;
  /** Identifies the filters (--include, --exclude) with which the tree was built. */
  readonly filters: string;
  /** The version of dagmount. */
  readonly writtenBy: string;
}

/** The fields of a state that are small, whatever the size of the tree. */
export type StateFacts = Pick<
  TakeoverState,
  'number' | 'nextNodeId' | 'peaks' | 'history' | 'digest' | 'release'
> &
  Pick<StateIdentity, 'filters' | 'writtenBy'>;

/** A state as it is read back from a file. */
export interface SavedState extends StateFacts {
  /** The tree, with the number of its publication and the mtimes of its instant. */
  readonly generation: Generation;
  readonly instant: Instant;
  readonly problems: readonly Problem[];
  readonly changeLog: ChangeLog;
  /**
   * Node ids, by path, of directories that were removed before this publication. The kernel may hold them.
   */
  readonly removedDirectories: ReadonlyMap<string, number>;
  /** Nodes of earlier trees that the kernel may still hold. */
  readonly replaced: readonly ReplacedInode[];
}
