import { optimizeLater } from '../host/optimize-later.ts';
import { isRunning } from '../host/process.ts';
import type { Serving } from '../session/messages.ts';
import { MountError } from '../session/mount-error.ts';
import { isConnectionHeld, type SessionEnd, textOf } from '../session/session-end.ts';
import { problemTotal } from '../sync/problem-counts.ts';
import { systemClock } from '../sync/system-clock.ts';
import { OrphanedSession } from '../takeover/orphaned-session.ts';
import { ofServer, type Replacement, tellReplacement } from '../takeover/replacement.ts';
import type { Supervised } from '../takeover/supervised.ts';
import type { ControlPlane } from '../views/control-plane.ts';
import { type Acquired, acquire } from './acquire.ts';
import { type Composed, compose } from './compose.ts';
import { announceStep, type ComposedTree } from './compose-tree.ts';
import { FollowedTrees, servedTrees } from './followed-trees.ts';
import { loadControlPlane } from './load-control-plane.ts';
import { tellMounted, tellUnmounted } from './mount-log.ts';
import { progressOf } from './progress.ts';
import type { ServedMount } from './served-mount.ts';
import type { Served } from './server-port.ts';

const PROGRESS_MS = 100;
/** How long clients of the control socket can delay the end of a server that has a successor. */
const LAST_ANSWERS_MS = 1_000;

/** One mount from start to end: acquire, compose, run, end. */
export class RunningServer {
  readonly #mount: ServedMount;
  #supervised: Supervised | undefined;
  #control: ControlPlane | undefined;
  /** Whether the kernel holds a mount of this server. */
  #mounted = false;
  /** Whether this server made a mount, even if it does not answer yet. */
  #opened = false;
  /** Whether the session ended while the kernel still holds the connection. */
  #brokeOff = false;
  /** Whether the mount ends because its first tree cannot be read. Then neither the mount nor its tree is kept. */
  #isGivenUp = false;

  constructor(mount: ServedMount) {
    this.#mount = mount;
  }

  async run(): Promise<Served> {
    const mount = this.#mount;
    const outcome = await acquire(mount, {
      onEnded: (end) => this.#onEnded(end),
      onReplacement: (replacement) => this.#onReplacement(replacement),
    });
    if (outcome.acquired === undefined) return outcome.served;
    const { acquired } = outcome;
    this.#supervised = acquired.supervised;
    const { composed, control } = await this.#become(acquired);
    try {
      await this.#serve(acquired, composed, control);
    } catch (error) {
      if (!mount.over.aborted) throw error;
    } finally {
      await this.#end(acquired, composed);
    }
    mount.failed.signal.throwIfAborted();
    return { outcome: mount.options.stop.aborted ? 'stopped' : 'unmounted-outside' };
  }

  /**
   * Composes this server. If that fails after this server made a mount, unmounts it, even if it already shows
   * a tree.
   */
  async #become(
    acquired: Acquired,
  ): Promise<{ readonly composed: Composed; readonly control: ControlPlane }> {
    try {
      const composed = await compose(this.#mount, acquired, {
        isMounted: () => this.#mounted,
        isGivenUp: () => this.#isGivenUp,
        onOpened: () => {
          this.#opened = true;
        },
        onMounted: (serving) => this.#onMounted(acquired, serving),
      });
      return { composed, control: await this.#listen(acquired, composed) };
    } catch (error) {
      if (this.#opened) {
        await acquired.place.giveUp(this.#mount.ended.signal);
        acquired.supervised.mount.unmounted();
        await acquired.prepared.session.stop();
      }
      throw error;
    }
  }

  /** Opens the control socket and the metrics port. */
  async #listen({ driver, supervised, prepared }: Acquired, composed: Composed): Promise<ControlPlane> {
    const { config, options, runtimeDirectory, events, startedAt, id: mountId, atEnd, over } = this.#mount;
    const metrics = await this.#mount.metrics();
    const { openControlPlane } = await loadControlPlane();
    const { trees, session, presenter, loaded } = composed;
    const control = await openControlPlane({
      config,
      runtimeDirectory,
      options,
      events,
      trees: trees.map(({ tree, ...shown }) => ({
        ...shown,
        path: tree.path,
        config: tree.config,
        cacheDirectory: tree.places.cacheDirectory,
        versions: loaded,
      })),
      meter: session.meter,
      startedAt,
      mountId,
      metrics,
      counters: () => session.counters(),
      publications: prepared.publications,
      isMounted: () => presenter.mounted && !over.aborted,
      driver: driver.name,
      onWebhook: (outcome) => {
        // A request names no tree, so a refused request counts once, and an accepted one for each tree.
        if (outcome === 'refused') metrics.hint('webhook', outcome, 1);
        for (const { sync, onHint } of outcome === 'taken' ? trees : []) {
          onHint('webhook', outcome);
          sync.hint().catch(() => undefined);
        }
      },
      supervision: () => supervised.status,
      restart: async () => ofServer(await supervised.replacement.request(), over.aborted),
      listeners: supervised.listeners,
    });
    atEnd(() => control.close({ leavesSocket: supervised.mount.isDepended }));
    this.#control = control;
    atEnd(supervised.reportLife(session, servedTrees(trees)));
    options.onRestartAsked(() => void supervised.replacement.request());
    return control;
  }

  /** Shows the trees, and follows their sources until the mount is over. */
  async #serve(
    { supervised }: Acquired,
    { trees, session, isContentKnown }: Composed,
    control: ControlPlane,
  ): Promise<void> {
    const { options, over, failed } = this.#mount;
    if (trees.every(({ sync }) => !sync.isRestored)) optimizeLater();
    const progress = setInterval(() => {
      options.onProgress(progressOf(trees.map(({ sync }) => sync.view)));
    }, PROGRESS_MS);
    options.onRefreshAsked(() => {
      for (const { sync } of trees) void sync.refresh().catch(() => undefined);
    });
    const onShown = async ({ tree, sync, cache, events }: ComposedTree): Promise<void> => {
      announceStep(this.#mount, tree, sync);
      // The attributes name the tree's release, which is known only now.
      session.answerRootAttributes(tree.number, (attribute) =>
        control.rootAttributeOf(tree.number, attribute),
      );
      await isContentKnown;
      cache.resumeEviction();
      supervised.standby.restorePriority();
      // Applies earlier pins, whether this tree was published now or by a predecessor.
      events.onPublished();
    };
    try {
      const following = new FollowedTrees({
        trees,
        onShown,
        clock: systemClock,
        log: options.log,
        over,
        failed,
        isFirst: supervised.isFirst,
      });
      following.ready.then(
        () => this.#onReady(),
        (error: unknown) => {
          // If the mount ends for another reason, that reason decides what is kept.
          this.#isGivenUp = !over.aborted;
          failed.abort(error);
        },
      );
      await following.run();
    } finally {
      clearInterval(progress);
    }
  }

  /** Unmounts, unless another server continues with this mount. */
  async #end({ supervised, place }: Acquired, { trees, session, presenter }: Composed): Promise<void> {
    const { config, options, ended, detached } = this.#mount;
    const isOver =
      options.stop.aborted ||
      detached.signal.aborted ||
      (ended.signal.aborted && !this.#brokeOff) ||
      this.#isGivenUp;
    if (presenter.mounted && (isOver || !supervised.hasSuccessor)) {
      await place.giveUp(ended.signal);
      this.#mounted = false;
      supervised.mount.unmounted();
      const leftOut = trees.reduce((sum, { sync }) => sum + problemTotal(sync.view), 0);
      tellUnmounted(options.log, config.target, await session.counters(), leftOut);
    }
    await session.stop();
    if (session.isStuck && !this.#mounted) place.abort();
  }

  #onMounted({ driver, place, supervised, orphaned }: Acquired, serving: Serving): void {
    const { config, options, announcement, detached, events, atEnd, runtimeDirectory } = this.#mount;
    const { target, source } = config;
    const left = orphaned ?? new OrphanedSession(runtimeDirectory, config);
    this.#mounted = true;
    const { readahead } = place.taken(() => detached.abort());
    supervised.setTakeoverDeadline(place.connection);
    announcement.ready = false;
    atEnd(() => supervised.mount.isDepended || announcement.remove());
    left.replaced();
    tellMounted(options.log, { source, target, driver, readahead, serving, supervised });
    if (serving.takenOver !== undefined) events.restarted(supervised.succession(serving.at));
  }

  #onReady(): void {
    this.#mount.announcement.ready = true;
    this.#supervised?.heartbeat.ready();
    const supervisor = this.#supervised?.supervisorPid;
    this.#mount.options.onReady(
      supervisor !== undefined && isRunning({ pid: supervisor }) ? supervisor : process.pid,
    );
  }

  #onReplacement(replacement: Replacement): void {
    tellReplacement(this.#mount.options.log, ofServer(replacement, this.#mount.over.aborted));
    if (replacement.kind !== 'stands-by') return;
    void Promise.resolve(this.#control?.answered(LAST_ANSWERS_MS)).then(() =>
      this.#supervised?.replacement.handOver(),
    );
  }

  #onEnded(end: SessionEnd): void {
    if (end.kind !== 'closed') {
      this.#brokeOff = isConnectionHeld(end);
      this.#mount.failed.abort(
        new MountError(
          'session-failed',
          `The session with the kernel broke off (${textOf(end)}).`,
          'Mount again; the log says more at --log-level debug.',
        ),
      );
    }
    this.#mount.ended.abort();
  }
}
