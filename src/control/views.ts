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
  /** Each list has a fixed order, so that a position identifies the end of a page. */
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
}

/** What the socket shows of a mount, and does with it; supplied by the code that composes the daemon. */
export interface MountControlViews {
  status(): Status;
  readiness(): Probe;
  /** Rejects or resolves to `fail` only if the session or the main loop does not respond. */
  health(): Promise<Probe>;
  /** Starts another server beside this one. Resolves when that server is ready, or when it has failed. */
  restart(): Promise<RestartEnd>;
  /** In Prometheus' text format, or as OpenMetrics. */
  metrics(openMetrics: boolean): Promise<{ readonly contentType: string; readonly text: string }>;
}

/** What the socket shows of a tree, and does with it. */
export interface TreeControlViews {
  status(): Status;
  readiness(): Probe;
  /** The oldest first. */
  history(): readonly HistoryItem[];
  /** `since` undefined: the generation before `to`. Returns undefined if one of them is no longer kept. */
  changes(since: string | undefined, to: string): Promise<ChangedPaths | undefined>;
  /** Sorted by key; the same array as long as nothing changes. */
  problems(): readonly ProblemItem[];
  /** Resolves with the result of a revalidation that starts after the call. Rejects when the daemon ends. */
  refresh(): Promise<RefreshEnd>;
  accept(generation: string | undefined): Promise<AcceptEnd>;
}

/** What the socket shows and does if a tree is the whole mount. */
export interface ControlViews extends MountControlViews, TreeControlViews {}

/** The rest of what the socket shows and does of a tree, by subject. */
export interface TreeParts {
  readonly tree: TreeViews;
  readonly cache: CacheViews;
}

/** The rest of what the socket shows and does of a mount, by subject. */
export interface MountParts {
  readonly version: string;
  readonly events: EventFeed;
  readonly process: ProcessViews;
}

export interface ControlParts extends MountParts, TreeParts {}

/** One of several trees of a mount. */
export interface ControlledTree extends TreeParts {
  /** Its directory below the mount point. */
  readonly path: string;
  readonly views: TreeControlViews;
}
