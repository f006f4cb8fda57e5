import { childOf } from '../base/waiting.ts';
import { isRunning } from '../host/process.ts';
import type { Serving } from '../session/messages.ts';
import { MountError } from '../session/mount-error.ts';
import { isConnectionHeld, type SessionEnd, textOf } from '../session/session-end.ts';
import { problemTotal } from '../sync/problem-counts.ts';
import type { Sync } from '../sync/sync.ts';
import { systemClock } from '../sync/system-clock.ts';
import { waitForStore } from '../sync/wait-for-store.ts';
import { ofServer, type Replacement, tellReplacement } from '../takeover/replacement.ts';
import type { Supervised } from '../takeover/supervised.ts';
import type { ControlPlane } from '../views/control-plane.ts';
import { shownStepOf } from '../views/release.ts';
import { type Acquired, acquire } from './acquire.ts';
import { type Composed, compose } from './compose.ts';
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

  /** Composes this server. If that fails, a first start leaves no mount, even if its tree was already shown. */
  async #become(
    acquired: Acquired,
  ): Promise<{ readonly composed: Composed; readonly control: ControlPlane }> {
    try {
      const composed = await compose(this.#mount, acquired, {
        isMounted: () => this.#mounted,
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
    const { sync, session, presenter, cache, shelf, standby, credentials, onHint } = composed;
    const control = await openControlPlane({
      config,
      runtimeDirectory,
      options,
      events,
      versionIdOf: session.versionIdOf,
      meter: session.meter,
      startedAt,
      mountId,
      sync,
      cache,
      metrics,
      counters: () => session.counters(),
      publications: prepared.publications,
      isMounted: () => presenter.mounted && !over.aborted,
      driver: driver.name,
      versions: shelf,
      standby,
      credentials,
      onWebhook: (outcome) => {
        onHint('webhook', outcome);
        if (outcome === 'taken') sync.hint().catch(() => undefined);
      },
      supervision: () => supervised.status,
      restart: async () => ofServer(await supervised.replacement.request(), over.aborted),
      listeners: supervised.listeners,
    });
    atEnd(() => control.close());
    this.#control = control;
    atEnd(supervised.reportLife(session, sync));
    options.onRestartAsked(() => void supervised.replacement.request());
    return control;
  }

  /** Shows the tree, and follows the source until the mount is over. */
  async #serve(
    { supervised }: Acquired,
    { sync, session, cache, isContentKnown, events: queue }: Composed,
    control: ControlPlane,
  ): Promise<void> {
    const { config, options, events, over } = this.#mount;
    const following = childOf(over);
    const progress = setInterval(() => options.onProgress(progressOf(sync.view)), PROGRESS_MS);
    try {
      const waiting = { waitMs: config.waitForStoreMs, clock: systemClock, log: options.log };
      await waitForStore(() => sync.start(over), waiting, over);
      this.#mount.announcement.release = shownStepOf(sync.shown?.release);
      // After the tree is known, because they name its release.
      session.answerRootAttributes(control.rootAttributeOf);
      await isContentKnown;
      cache.resumeEviction();
      supervised.standby.restorePriority();
      // Applies earlier pins, whether this tree was published now or by a predecessor.
      events.onPublished();
      options.onRefreshAsked(() => void sync.refresh().catch(() => undefined));
      sync.ready.then(
        () => this.#onReady(sync),
        (error: unknown) => this.#onNeverReady(error, sync),
      );
      const followed = queue?.run(following.controller.signal);
      await sync.run(over);
      following.controller.abort();
      await followed;
    } finally {
      following.controller.abort();
      following.release();
      clearInterval(progress);
    }
  }

  /** Unmounts, unless the supervisor will start a successor for this mount. */
  async #end({ supervised, place }: Acquired, { sync, session, presenter }: Composed): Promise<void> {
    const { config, options, ended, detached } = this.#mount;
    const isOver =
      options.stop.aborted || detached.signal.aborted || (ended.signal.aborted && !this.#brokeOff);
    if (presenter.mounted && (isOver || !supervised.hasSupervisor)) {
      await place.giveUp(ended.signal);
      this.#mounted = false;
      supervised.mount.unmounted();
      tellUnmounted(options.log, config.target, await session.counters(), problemTotal(sync.view));
    }
    await session.stop();
    if (session.isStuck && !this.#mounted) place.abort();
  }

  #onMounted({ driver, place, supervised, orphaned }: Acquired, serving: Serving): void {
    const { config, options, announcement, detached, events, atEnd } = this.#mount;
    const { target, source } = config;
    this.#mounted = true;
    const { readahead, connection } = place.taken(() => detached.abort());
    supervised.setTakeoverDeadline(connection);
    announcement.ready = false;
    atEnd(() => announcement.remove());
    orphaned.replaced();
    tellMounted(options.log, { source, target, driver, readahead, serving, supervised });
    if (serving.takenOver !== undefined) events.restarted(supervised.succession(serving.at));
  }

  /** No content can be read: a first start fails, but a tree that was shown before stays. */
  #onNeverReady(error: unknown, sync: Sync): void {
    if (!sync.isRestored) this.#mount.failed.abort(error);
  }

  #onReady(sync: Sync): void {
    const { generation, cacheTooSmall } = sync.view;
    this.#mount.announcement.ready = true;
    this.#mount.options.log.info({ event: 'ready', generation, cacheTooSmall }, 'ready');
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
