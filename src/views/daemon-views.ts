import type { ContentCache } from '../cache/content-cache.ts';
import type { Metrics, TreeSnapshot } from '../control/metrics/metrics.ts';
import type {
  DegradedCode,
  GenerationView,
  HeldView,
  HistoryItem,
  Probe,
  ProblemItem,
  Status,
  StuckView,
  WaitingView,
} from '../control/shapes/status.ts';
import { sourceTrouble } from '../control/source-refusal.ts';
import type { AcceptEnd, ChangedPaths, ControlViews, RefreshEnd, RestartEnd } from '../control/views.ts';
import type { StuckPublication } from '../session/publication-watch.ts';
import type { StandbyView } from '../source/standby/standby-view.ts';
import { problemCounts, problemTotal } from '../sync/problem-counts.ts';
import type { Sync } from '../sync/sync.ts';
import type { SyncView } from '../sync/sync-view.ts';
import { pastReleaseMember, releaseView } from './release.ts';
import { failing, healthOf, type ObservedSession, sessionSnapshot } from './session-snapshot.ts';
import { standbyView } from './standby.ts';

interface CredentialsSeen {
  readonly origin: NonNullable<Status['source']['credentials']>['origin'];
  /** Milliseconds since the epoch. */
  readonly expiresAt: number | undefined;
}

/**
 * The versions (earlier releases) beside the current tree, and the look-ups of versions that were not loaded.
 */
export interface ObservedVersions {
  readonly size: number;
  readonly waiting: number;
  readonly lookups: NonNullable<Status['versions']>['lookups'];
}

/** The parts of a server that the views read. */
export interface Observed extends ObservedSession {
  readonly version: string;
  readonly pid: number;
  /** RFC 3339. */
  readonly startedAt: string;
  readonly mountId: string;
  readonly source: string;
  /** The prefix of the object keys. */
  readonly prefix: string;
  readonly target: string;
  readonly sync: Pick<Sync, 'view' | 'refresh' | 'accept' | 'changes'>;
  readonly cache: Pick<ContentCache, 'stats'>;
  readonly metrics: Metrics;
  /** Whether the mount exists and is not ending. */
  readonly isMounted: () => boolean;
  readonly driver: string;
  /** The versions beside the current tree; undefined if the mount shows only the current tree. */
  readonly versions?: ObservedVersions | undefined;
  /** Where the credentials of the first source came from. */
  readonly credentials?: { readonly last: CredentialsSeen | undefined } | undefined;
  /** From which store trees are read; undefined without standby stores. */
  readonly standby?: { readonly view: StandbyView } | undefined;
  readonly supervision: () => Pick<Status['mount'], 'supervised' | 'restarts' | 'takeover'>;
  /**
   * The publication that is blocked in the kernel because a process holds the lock of a directory; undefined
   * if none is.
   */
  readonly publications: { readonly stuck: StuckPublication | undefined };
  readonly restart: () => Promise<RestartEnd>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** The state of a daemon, as the control socket shows it. */
export class DaemonViews implements ControlViews {
  readonly #observed: Observed;
  /** The problems of one tree, as the socket shows them, sorted by key. */
  #problems: { readonly of: SyncView['problems']; readonly items: readonly ProblemItem[] } = {
    of: [],
    items: [],
  };

  #changes: {
    readonly asked: { readonly since: string | undefined; readonly to: string };
    readonly history: SyncView['history'];
    readonly found: ChangedPaths | undefined;
  } = { asked: { since: undefined, to: '' }, history: [], found: undefined };

  constructor(observed: Observed) {
    this.#observed = observed;
  }

  status(): Status {
    const { version, pid, startedAt, mountId, source, target, sync, cache, now } = this.#observed;
    const { view } = sync;
    const { lastAttemptAt, lastSuccessAt, consecutiveFailures, failingSince, lastError } = view.source;
    const stats = cache.stats();
    const supervision = this.#observed.supervision();
    const { stuck } = this.#observed.publications;
    const { standby } = this.#observed;
    const credentials = this.#observed.credentials?.last;
    return {
      version,
      pid,
      startedAt,
      ready: this.readiness().status === 'ok',
      degraded: [
        ...degradedBy(view, stats.degraded, supervision.supervised),
        ...(standby?.view.isActive === true ? (['on-standby'] as const) : []),
        ...(stuck === undefined ? [] : (['publication-stuck'] as const)),
        ...(this.#observed.driver === 'kernel' ? [] : (['weak-driver'] as const)),
      ],
      mount: {
        id: mountId,
        source,
        target,
        layout: this.#observed.versions === undefined ? 'tree' : 'versions',
        driver: this.#observed.driver,
        ...supervision,
      },
      generation: view.generation === undefined ? null : generationView(view.generation),
      source: {
        kind: view.source.kind,
        lastAttemptAt: timeOrNull(lastAttemptAt),
        lastSuccessAt: timeOrNull(lastSuccessAt),
        stalenessSeconds: lastSuccessAt === undefined ? null : Math.max(0, now() - lastSuccessAt) / 1000,
        consecutiveFailures,
        failingSince: timeOrNull(failingSince),
        lastError: lastError === undefined ? null : sourceErrorView(lastError),
        listingSeconds: view.listing.milliseconds === undefined ? null : view.listing.milliseconds / 1000,
        traits: [...view.storeTraits],
        credentials:
          credentials === undefined
            ? null
            : { origin: credentials.origin, expiresAt: timeOrNull(credentials.expiresAt) },
        standby: standby === undefined ? null : standbyView(standby.view),
      },
      release: view.release === undefined ? null : releaseView(view.release),
      versions: versionsView(this.#observed.versions),
      stuck: stuck === undefined ? null : stuckView(stuck),
      held: view.held === undefined ? null : heldView(view.held),
      waiting: view.waiting === undefined ? null : waitingView(view.waiting),
      cache: {
        entries: stats.entries,
        bytes: stats.bytes,
        limitBytes: stats.limitBytes,
        // The cache counts the session's requests to this thread. The session counts what it finds on the
        // local disk itself.
        hits: stats.hits + this.#observed.meter.localReads,
        misses: stats.misses,
        evictions: stats.evictions,
        corrupt: stats.corrupt,
        pinned: stats.pinned,
        ...view.pending,
      },
      problems: problemTotal(view),
    };
  }

  readiness(): Probe {
    const { sync, isMounted } = this.#observed;
    const { generation, ready } = sync.view;
    if (generation === undefined) return failing('no-tree');
    if (!isMounted()) return failing('not-mounted');
    return ready ? { status: 'ok', reasons: [] } : failing('prefetching');
  }

  health(): Promise<Probe> {
    return healthOf(this.#observed);
  }

  history(): readonly HistoryItem[] {
    return this.#observed.sync.view.history.map(({ release, publishedAt, ...entry }) => ({
      ...entry,
      publishedAt: timeOf(publishedAt),
      ...pastReleaseMember(release),
    }));
  }

  async changes(since: string | undefined, to: string): Promise<ChangedPaths | undefined> {
    const { asked } = this.#changes;
    // The last result is kept, because a client requests the pages of one answer one after another.
    if (
      asked.since === since &&
      asked.to === to &&
      this.#changes.history === this.#observed.sync.view.history
    ) {
      return this.#changes.found;
    }
    const { history } = this.#observed.sync.view;
    const found = await this.#observed.sync.changes(since, to);
    this.#changes = { asked: { since, to }, history, found };
    return found;
  }

  problems(): readonly ProblemItem[] {
    const { problems } = this.#observed.sync.view;
    if (problems !== this.#problems.of) {
      const items = problems.map(({ key, reason, detail }) => ({
        key: this.#observed.prefix + key,
        reason,
        detail,
      }));
      items.sort((one, other) => (one.key < other.key ? -1 : one.key > other.key ? 1 : 0));
      this.#problems = { of: problems, items };
    }
    return this.#problems.items;
  }

  restart(): Promise<RestartEnd> {
    return this.#observed.restart();
  }

  async refresh(): Promise<RefreshEnd> {
    const outcome = await this.#observed.sync.refresh();
    switch (outcome.kind) {
      case 'current':
      case 'published':
        return { kind: outcome.kind, generation: generationView(outcome.generation) };
      case 'held':
        return { kind: 'held', held: heldView(outcome.held) };
      case 'failed':
        return { kind: 'failed', error: outcome.error };
      default:
        return outcome satisfies never;
    }
  }

  async accept(generation: string | undefined): Promise<AcceptEnd> {
    const accepted = await this.#observed.sync.accept(generation);
    switch (accepted.kind) {
      case 'accepted':
        return { kind: 'accepted', generation: generationView(accepted.generation) };
      case 'nothing-held':
        return accepted;
      case 'changed':
        return { kind: 'changed', held: accepted.held && heldView(accepted.held) };
      case 'failed':
        return { kind: 'failed', error: accepted.error };
      default:
        return accepted satisfies never;
    }
  }

  async metrics(openMetrics = false): Promise<{ readonly contentType: string; readonly text: string }> {
    const session = await sessionSnapshot(this.#observed);
    return this.#observed.metrics.expose({ ...this.snapshot(), session }, openMetrics);
  }

  /** The figures of this tree for the metrics. */
  snapshot(): TreeSnapshot {
    return { status: this.status(), problems: problemCounts(this.#observed.sync.view) };
  }
}

function degradedBy(view: SyncView, cache: readonly DegradedCode[], supervised: boolean): DegradedCode[] {
  const { consecutiveFailures, lastError } = view.source;
  const trouble =
    consecutiveFailures > 0 && lastError !== undefined ? sourceTrouble(lastError.code) : undefined;
  return [
    ...(trouble === undefined ? [] : [trouble]),
    ...(view.listing.isSlow ? (['source-slow'] as const) : []),
    ...(view.unreadable === 0 ? [] : (['unreadable-objects'] as const)),
    ...(view.held === undefined ? [] : (['held'] as const)),
    ...new Set([...cache, ...view.persistTroubles]),
    ...(view.cacheTooSmall === undefined ? [] : (['cache-too-small'] as const)),
    ...(supervised ? [] : (['unsupervised'] as const)),
  ];
}

export function generationView(summary: NonNullable<SyncView['generation']>): GenerationView {
  return { ...summary, publishedAt: timeOf(summary.publishedAt) };
}

export function heldView({
  generation,
  files,
  removed,
  since,
  reason,
  detail,
  hint,
  step,
  acceptable,
}: NonNullable<SyncView['held']>): HeldView {
  return {
    generation,
    files,
    removed,
    since: timeOf(since),
    reason,
    detail,
    ...(hint !== undefined && { hint }),
    ...(step !== undefined && { release: { seq: step.sequence, id: step.release } }),
    ...(acceptable !== undefined && { acceptable }),
  };
}

function waitingView({ since, until, files, objects }: NonNullable<SyncView['waiting']>): WaitingView {
  return { since: timeOf(since), until: timeOrNull(until), files, objects: [...objects] };
}

function versionsView(versions: ObservedVersions | undefined): Status['versions'] {
  if (versions === undefined) return null;
  const { size, waiting, lookups } = versions;
  return { shown: size, waiting, lookups: { ...lookups } };
}

export function stuckView({ since, directory, holders }: StuckPublication): StuckView {
  return {
    since: timeOf(since),
    directory: directory ?? null,
    holders: holders.map(({ pid, tid, uid, command }) => ({ pid, tid, uid, command })),
  };
}

export function timeOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

/** Returns the last error of the source as `status` shows it. `at`: milliseconds since the epoch. */
export function sourceErrorView({
  code,
  message,
  detail,
  hint,
  at,
}: NonNullable<SyncView['source']['lastError']>): NonNullable<Status['source']['lastError']> {
  return { code, message, detail: detail ?? null, hint: hint ?? null, at: timeOf(at) };
}

export function timeOrNull(milliseconds: number | undefined): string | null {
  return milliseconds === undefined ? null : timeOf(milliseconds);
}
