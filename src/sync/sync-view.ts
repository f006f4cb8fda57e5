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

/** For status, metrics and log. */
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
  /** Number of shown files that give EIO because the store does not deliver their content; each is a problem too. */
  readonly unreadable: number;
  /** What is yet to be fetched, for the shown tree and the next one. */
  readonly pending: PendingView;
  readonly problems: readonly Problem[];
  /** How many more there are than `problems` names, by reason. */
  readonly unnamedProblems: ReadonlyMap<string, number>;
  readonly history: readonly HistoryEntry[];
  readonly readFailures: ReadFailures;
  /** Set if the content within the prefetch bound does not fit: the cache size that would hold it, bytes. */
  readonly cacheTooSmall: { readonly neededBytes: number } | undefined;
  /** Replaced versions that the kernel may still hold. */
  readonly replacedVersions: number;
  /** What would be lost by a restart. */
  readonly persistTroubles: readonly PersistTrouble[];
}
