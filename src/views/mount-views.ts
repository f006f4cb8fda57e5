import type { Metrics } from '../control/metrics/metrics.ts';
import type { DegradedCode, Probe, Status, TreeStatus } from '../control/shapes/status.ts';
import type { MountControlViews, RestartEnd } from '../control/views.ts';
import type { DaemonViews, Observed } from './daemon-views.ts';
import { healthOf, type ObservedSession, sessionSnapshot } from './session-snapshot.ts';

/** One of several trees of a mount. */
export interface ViewedTree {
  readonly path: string;
  readonly views: Pick<DaemonViews, 'status' | 'readiness' | 'snapshot'>;
}

export interface MountObserved extends ObservedSession, Pick<Observed, 'restart'> {
  /** `trees:` and the paths of all trees. Each tree has its own s3:// address. */
  readonly source: string;
  readonly target: string;
  readonly metrics: Metrics;
  readonly trees: readonly ViewedTree[];
}

/** The state of a mount with several trees, as the control socket shows it. */
export class MountViews implements MountControlViews {
  readonly #observed: MountObserved;

  constructor(observed: MountObserved) {
    this.#observed = observed;
  }

  status(): Status {
    const { trees, source, target, meter } = this.#observed;
    const of = trees.map(({ path, views }) => ({ path, status: views.status() }));
    const all = of.map(({ status }) => status);
    const behind = all.reduce((one, other) => (isFurtherBehind(other, one) ? other : one));
    const { mount, ...first } = all[0]!;
    return {
      ...first,
      ready: all.every(({ ready }) => ready),
      degraded: [...new Set<DegradedCode>(all.flatMap(({ degraded }) => degraded))],
      mount: { ...mount, source, target, layout: 'trees' },
      generation: null,
      source: behind.source,
      release: null,
      held: firstOf(all, 'held'),
      waiting: firstOf(all, 'waiting'),
      cache: cacheOf(all, meter.localReads),
      problems: sum(all, ({ problems }) => problems),
      trees: of.map(({ path, status }) => treeStatus(path, status)),
    };
  }

  /** Returns whether all trees are ready. Each reason begins with the path of its tree. */
  readiness(): Probe {
    const reasons = this.#observed.trees.flatMap(({ path, views }) =>
      views.readiness().reasons.map((reason) => `${path}: ${reason}`),
    );
    return { status: reasons.length === 0 ? 'ok' : 'fail', reasons };
  }

  health(): Promise<Probe> {
    return healthOf(this.#observed);
  }

  restart(): Promise<RestartEnd> {
    return this.#observed.restart();
  }

  async metrics(openMetrics: boolean): Promise<{ readonly contentType: string; readonly text: string }> {
    const { metrics, trees } = this.#observed;
    const session = await sessionSnapshot(this.#observed);
    return metrics.expose(
      {
        status: this.status(),
        problems: new Map(),
        session,
        trees: trees.map(({ path, views }) => ({ tree: path, ...views.snapshot() })),
      },
      openMetrics,
    );
  }
}

function treeStatus(path: string, status: Status): TreeStatus {
  const { ready, degraded, mount, generation, source, release, held, waiting, problems } = status;
  return {
    path,
    address: mount.source,
    ready,
    degraded,
    generation,
    source,
    release,
    held,
    waiting,
    problems,
  };
}

/**
 * Returns whether the source of the first tree answered longer ago than that of the second. A source that
 * never answered is further behind than all others.
 */
function isFurtherBehind({ source: one }: Status, { source: other }: Status): boolean {
  return (
    (one.stalenessSeconds ?? Number.POSITIVE_INFINITY) > (other.stalenessSeconds ?? Number.POSITIVE_INFINITY)
  );
}

function firstOf<Key extends 'held' | 'waiting'>(all: readonly Status[], key: Key): Status[Key] {
  return all.find((status) => status[key] !== null)?.[key] ?? null;
}

function cacheOf(all: readonly Status[], localReads: number): Status['cache'] {
  const total = (count: (cache: Status['cache']) => number): number => sum(all, ({ cache }) => count(cache));
  return {
    entries: total(({ entries }) => entries),
    bytes: total(({ bytes }) => bytes),
    limitBytes: total(({ limitBytes }) => limitBytes),
    // The session counts the content that it finds on the local disk only for all trees together.
    hits: total(({ hits }) => hits) + localReads,
    misses: total(({ misses }) => misses),
    evictions: total(({ evictions }) => evictions),
    corrupt: total(({ corrupt }) => corrupt),
    pinned: total(({ pinned }) => pinned),
    pendingFiles: total(({ pendingFiles }) => pendingFiles),
    pendingBytes: total(({ pendingBytes }) => pendingBytes),
  };
}

function sum(all: readonly Status[], count: (status: Status) => number): number {
  return all.reduce((total, status) => total + count(status), 0);
}
