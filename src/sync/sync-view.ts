import type { Armed, ReleaseStep, SourceKind } from '../source/source.ts';
import type { Problem } from '../tree/index.ts';
import type { StoreTrait } from './etag-witness.ts';
import type { HeldView } from './held.ts';
import type { HistoryEntry } from './history.ts';
import type { PersistTrouble } from './ports.ts';
import type { PendingView } from './progress.ts';
import type { ReadFailures } from './read-through.ts';
import type { GenerationSummary } from './shown.ts';
import type { SourceView } from './source-state.ts';
import type { ListingView } from './timed-source.ts';
import type { WaitingView } from './unreadable/object-wait.ts';

/** Which release is shown. */
export interface ReleaseView {
  readonly step: ReleaseStep;
  readonly armed: Armed | undefined;
}

/** The state of a Sync, for status, metrics and log. */
export interface SyncView {
  readonly ready: boolean;
  readonly generation: GenerationSummary | undefined;
  readonly source: SourceView & { readonly kind: SourceKind };
  /** The release of the shown tree, and the one to be shown at an instant. */
  readonly release: ReleaseView | undefined;
  readonly listing: ListingView;
  /** Whether trees are read from a standby source. */
  readonly isOnStandby: boolean;
  /** Findings about the store's ETags. */
  readonly storeTraits: readonly StoreTrait[];
  readonly held: HeldView | undefined;
  /** Objects that a tree waits for before it is shown or called ready. */
  readonly waiting: WaitingView | undefined;
  /**
   * The number of shown files that give EIO because the store does not deliver their content. Each is one of
   * `problems`, too.
   */
  readonly unreadable: number;
  /** How much content is yet to be fetched, for the shown tree and the next one. */
  readonly pending: PendingView;
  readonly problems: readonly Problem[];
  /** How many problems `problems` does not name, by reason. */
  readonly unnamedProblems: ReadonlyMap<string, number>;
  readonly history: readonly HistoryEntry[];
  readonly readFailures: ReadFailures;
  /**
   * Set if the content within the prefetch bound does not fit into the cache. `neededBytes`: the cache size
   * that would hold it.
   */
  readonly cacheTooSmall: { readonly neededBytes: number } | undefined;
  /** The number of replaced versions that the kernel may still hold. */
  readonly replacedVersions: number;
  /** Why a restart would lose something. */
  readonly persistTroubles: readonly PersistTrouble[];
}
