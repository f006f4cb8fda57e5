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
  /** Of the tree shown, and what is to be shown at an instant. */
  readonly release: ReleaseView | undefined;
  readonly listing: ListingView;
  /** What was found out about the store's ETags. */
  readonly storeTraits: readonly StoreTrait[];
  readonly held: HeldView | undefined;
  /** Objects that a tree waits for, before it is shown, or called ready. */
  readonly waiting: WaitingView | undefined;
  /** Number of files that are shown and give EIO, since the store does not give their content; each is a problem too. */
  readonly unreadable: number;
  /** What is yet to be fetched: of the tree shown, and of one that is about to be. */
  readonly pending: PendingView;
  readonly problems: readonly Problem[];
  /** How many more there are than `problems` names, by reason. */
  readonly unnamedProblems: ReadonlyMap<string, number>;
  readonly history: readonly HistoryEntry[];
  readonly readFailures: ReadFailures;
  /** Where the content within the prefetch bound does not fit: the cache size that would hold it, bytes. */
  readonly cacheTooSmall: { readonly neededBytes: number } | undefined;
  /** Replaced versions that the kernel may still hold. */
  readonly replacedVersions: number;
  /** Why the tree shown would not be there, as it is, after the next start. */
  readonly persistTroubles: readonly PersistTrouble[];
}
