import type { CacheViews } from './cache-views.ts';
import type { ProcessViews } from './endpoints/process.ts';
import type { EventFeed } from './event-feed.ts';
import type { GenerationView, HeldView, HistoryItem, Probe, ProblemItem, Status } from './shapes/status.ts';
import type { TreeViews } from './tree-views.ts';

/** Why a revalidation failed. */
export interface SourceFailure {
  /** The code of the store's error, or of the revalidation's own error. */
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
  /** The other server is ready and stands by. This server ends after it has answered the request. */
  | { readonly kind: 'stands-by' }
  | { readonly kind: 'dropped'; readonly reason: string }
  /** The mount ended meanwhile, and this server ends with it. */
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

/**
 * What the control socket shows of a mount, and does with it. The code that composes the daemon supplies
 * these functions.
 */
export interface MountControlViews {
  status(): Status;
  readiness(): Probe;
  /**
   * Checks whether the daemon works. Rejects or resolves to `fail` only if the session or the main loop does
   * not respond.
   */
  health(): Promise<Probe>;
  /** Starts another server beside this one. Resolves when that server is ready, or when it has failed. */
  restart(): Promise<RestartEnd>;
  /** Returns the metrics in Prometheus' text format, or as OpenMetrics. */
  metrics(openMetrics: boolean): Promise<{ readonly contentType: string; readonly text: string }>;
}

/** What the control socket shows of a tree, and does with it. */
export interface TreeControlViews {
  status(): Status;
  readiness(): Probe;
  /** Returns the remembered publications, the oldest first. */
  history(): readonly HistoryItem[];
  /**
   * Returns the paths that differ between two generations; undefined if one of these is no longer kept. If
   * `since` is undefined, it is the generation before `to`.
   */
  changes(since: string | undefined, to: string): Promise<ChangedPaths | undefined>;
  /**
   * Returns the keys that are not shown as they are, sorted by key. Returns the same array as long as nothing
   * changes.
   */
  problems(): readonly ProblemItem[];
  /**
   * Makes the tree check its source. Resolves to the result of a revalidation that starts after the call.
   * Rejects when the daemon ends.
   */
  refresh(): Promise<RefreshEnd>;
  accept(generation: string | undefined): Promise<AcceptEnd>;
}

/** What the control socket shows and does if a tree is the whole mount. */
export interface ControlViews extends MountControlViews, TreeControlViews {}

/** The further subjects of which the control socket shows and does something for a tree. */
export interface TreeParts {
  readonly tree: TreeViews;
  readonly cache: CacheViews;
}

/** The further subjects of which the control socket shows and does something for a mount. */
export interface MountParts {
  readonly version: string;
  readonly events: EventFeed;
  readonly process: ProcessViews;
}

export interface ControlParts extends MountParts, TreeParts {}

/** One of several trees of a mount. */
export interface ControlledTree extends TreeParts {
  /** The tree's directory below the mount point. */
  readonly path: string;
  readonly views: TreeControlViews;
}
