import type { CacheViews } from './cache-views.ts';
import type { ProcessViews } from './endpoints/process.ts';
import type { EventFeed } from './event-feed.ts';
import type { GenerationView, HeldView, HistoryItem, Probe, ProblemItem, Status } from './shapes/status.ts';
import type { TreeViews } from './tree-views.ts';

/** Why a revalidation failed. */
export interface SourceFailure {
  /** The code of the store's error, or of the revalidation's. */
  readonly code: string;
  readonly message: string;
  readonly hint: string | undefined;
}

export type RefreshEnd =
  | { readonly kind: 'current' | 'published'; readonly generation: GenerationView }
  | { readonly kind: 'held'; readonly held: HeldView }
  | { readonly kind: 'failed'; readonly error: SourceFailure };

export type AcceptEnd =
  | { readonly kind: 'accepted'; readonly generation: GenerationView }
  | { readonly kind: 'nothing-held' }
  | { readonly kind: 'changed'; readonly held: HeldView | undefined }
  | { readonly kind: 'failed'; readonly error: SourceFailure };

/** The result of a request to replace this server. */
export type RestartEnd =
  /** The standby is ready; this server ends after it has answered. */
  | { readonly kind: 'stands-by' }
  | { readonly kind: 'dropped'; readonly reason: string }
  /** The mount ended meanwhile, and this server with it. */
  | { readonly kind: 'ends' }
  | { readonly kind: 'unsupervised' };

export interface ChangedPaths {
  readonly from: string;
  readonly to: string;
  /** Each in a fixed order, so that a page's end can be named by its place. */
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
}

/** What the socket shows and does; supplied by the code that composes the daemon. */
export interface ControlViews {
  status(): Status;
  readiness(): Probe;
  /** Rejects or resolves to `fail` only if the session or the main loop does not respond. */
  health(): Promise<Probe>;
  /** The oldest first. */
  history(): readonly HistoryItem[];
  /** `since` undefined: the generation before `to`. Returns undefined if one of them is no longer kept. */
  changes(since: string | undefined, to: string): Promise<ChangedPaths | undefined>;
  /** Sorted by key; the same array as long as nothing changes. */
  problems(): readonly ProblemItem[];
  /** Resolves with the result of a revalidation that starts after the call. Rejects when the daemon ends. */
  refresh(): Promise<RefreshEnd>;
  accept(generation: string | undefined): Promise<AcceptEnd>;
  /** Starts another server beside this one. Resolves when that is ready, or has failed. */
  restart(): Promise<RestartEnd>;
  /** In Prometheus' text format, or as OpenMetrics. */
  metrics(openMetrics: boolean): Promise<{ readonly contentType: string; readonly text: string }>;
}

/** The rest of what the socket shows and does, by subject. */
export interface ControlParts {
  readonly version: string;
  readonly tree: TreeViews;
  readonly cache: CacheViews;
  readonly events: EventFeed;
  readonly process: ProcessViews;
}
