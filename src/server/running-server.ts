import { randomBytes } from 'node:crypto';
import { ownPackage } from '../base/own-package.ts';
import { mountDirectory } from '../cache/private-directory.ts';
import type { MountConfig } from '../config/mount-config.ts';
import { mountIdOf } from '../config/mount-id.ts';
import { publicationPolicy } from '../config/publication-policy.ts';
import { Metrics } from '../control/metrics.ts';
import { isRunning, ownProcess } from '../host/process.ts';
import { mountRuntimeDirectory, mountSocket, runtimeDirectory } from '../host/runtime-paths.ts';
import { Announcement } from '../mount/announcement.ts';
import { chooseDriver } from '../mount/choose-driver.ts';
import { MountPlace } from '../mount/mount-place.ts';
import { prepareDirectories } from '../mount/mount-point.ts';
import type { Driver } from '../session/driver.ts';
import type { Presentation, Serving } from '../session/messages.ts';
import { MountError } from '../session/mount-error.ts';
import { watchedKeyOf } from '../source/prefix/watched-key.ts';
import { probeObject } from '../store/probe-object.ts';
import { Sync, type SyncOptions } from '../sync/sync.ts';
import { systemClock } from '../sync/system-clock.ts';
import { waitForStore } from '../sync/wait-for-store.ts';
import { canTakeOver } from '../takeover/can-take-over.ts';
import { type KeptState, openKeptState } from '../takeover/kept-state.ts';
import { MountPresenter } from '../takeover/mount-presenter.ts';
import { OrphanedSession } from '../takeover/orphaned-session.ts';
import { isGone, isToBeReplaced, lookAtLeft } from '../takeover/predecessor.ts';
import { type Prepared, prepare } from '../takeover/preparation.ts';
import { ofServer, type Replacement, tellReplacement } from '../takeover/replacement.ts';
import { Supervised } from '../takeover/supervised.ts';
import { takeOver } from '../takeover/take-over.ts';
import { type ControlPlane, openControlPlane } from '../views/control-plane.ts';
import { DaemonEvents } from '../views/events.ts';
import { FailedReads } from './failed-reads.ts';
import { keepLastSuccess } from './last-success.ts';
import { tellMounted, tellSupervisor, tellUnmounted } from './mount-log.ts';
import { openContent } from './open-content.ts';
import { openSource } from './open-source.ts';
import { progressOf } from './progress.ts';
import type { Served, ServeOptions } from './server-port.ts';
import type { Wiring } from './wiring.ts';

const PROGRESS_MS = 100;
/** How long whoever asks the control socket may hold up the end of a server that has a successor. */
const LAST_ANSWERS_MS = 1_000;

export type Ending = () => unknown;

/** One mount, from its beginning to its end. */
export class RunningServer {
  readonly #config: MountConfig;
  readonly #options: ServeOptions;
  readonly #wiring: Wiring;
  readonly #atEnd: (ending: Ending) => void;
  readonly #id: string;
  readonly #metrics = new Metrics({ version: ownPackage().version, node: process.version });
  readonly #startedAt = new Date().toISOString();
  readonly #runtimeDirectory: string;
  /** This mount's own directories. */
  readonly #places: { readonly runtimeDirectory: string; readonly cacheDirectory: string };
  readonly #announcement: Announcement;
  /** Aborted when the connection with the kernel is over. */
  readonly #ended = new AbortController();
  /** Aborted when somebody took a mount away that is still in use. */
  readonly #detached = new AbortController();
  /** Aborted, with the error, when serving cannot go on. */
  readonly #failed = new AbortController();
  /** Aborted with the first of these, or when it is to stop. */
  readonly #isOver: AbortSignal;
  #supervised: Supervised | undefined;
  #control: ControlPlane | undefined;
  /** Whether the kernel holds a mount of ours. */
  #mounted = false;
  /** Whether the session ended while the kernel still holds the connection. */
  #brokeOff = false;
  #left: OrphanedSession | undefined;
  readonly #failedReads: FailedReads;
  readonly #events = new DaemonEvents();

  constructor(config: MountConfig, options: ServeOptions, wiring: Wiring, atEnd: (ending: Ending) => void) {
    const { target, source } = config;
    this.#config = config;
    this.#options = options;
    const endings = [this.#ended, this.#detached, this.#failed].map(({ signal }) => signal);
    this.#isOver = AbortSignal.any([options.stop, ...endings]);
    this.#wiring = wiring;
    this.#failedReads = new FailedReads(options.log);
    this.#atEnd = atEnd;
    this.#id = mountIdOf(config);
    this.#runtimeDirectory = runtimeDirectory({ uid: process.geteuid?.() ?? 0, env: process.env });
    this.#places = {
      runtimeDirectory: mountRuntimeDirectory(this.#runtimeDirectory, this.#id),
      cacheDirectory: mountDirectory(config.cacheDir, this.#id),
    };
    const facts = { ...ownProcess(), source, target, startedAt: this.#startedAt };
    const { cacheDirectory } = this.#places;
    this.#announcement = new Announcement(this.#runtimeDirectory, this.#id, { ...facts, cacheDirectory });
  }

  async run(): Promise<Served> {
    const { target, source } = this.#config;
    const { log, stop, supervisor: link } = this.#options;
    const { driver, addon } = await chooseDriver(this.#config.driver, this.#wiring.entries, log);
    this.#atEnd(() => driver.session.terminate());
    this.#announcement.driverIs(driver);
    const runtimeDirectory = this.#runtimeDirectory;
    // A successor serves before it listens: who asks meanwhile waits there.
    this.#announcement.socket = this.#config.socket ?? mountSocket(runtimeDirectory, this.#id);
    const supervised = new Supervised({
      link,
      addon,
      runtimeDirectory,
      identity: { id: this.#id, source, target },
      takeoverDeadlineMs: this.#config.takeoverDeadlineMs,
      standby: this.#config.standby,
      onChange: () => {
        this.#announcement.supervisorIs(supervised.supervisorPid);
        tellSupervisor(log, supervised.supervisorPid);
      },
      onStuck: (threads) => log.error({ event: 'stuck', threads }, 'the server before gave no sign of life'),
      onReplacement: (replacement) => this.#onReplacement(replacement),
    });
    this.#supervised = supervised;
    this.#announcement.supervisorIs(supervised.supervisorPid);
    const place = new MountPlace(target, driver, log);
    const prepared = prepare({
      config: this.#config,
      host: driver.session,
      log,
      observer: this.#metrics,
      onStuck: this.#events.publicationStuck,
      entries: this.#wiring.entries,
      atEnd: this.#atEnd,
      device: () => place.deviceNumber,
      onEnded: (reason) => this.#onEnded(reason),
    });
    const prepareToTakeOver = (isStandby: boolean) =>
      canTakeOver(prepared, { ...this.#places, mountId: this.#id, log }, isStandby);
    if (!(await supervised.standby.turn(prepareToTakeOver, stop))) return { outcome: 'stopped' };
    const left = { supervised, place, driver, config: this.#config, runtimeDirectory, log };
    if (await isGone(left)) return { outcome: 'unmounted-outside' };
    const stale = await isToBeReplaced(left);
    await prepareDirectories(this.#config, runtimeDirectory, this.#places.cacheDirectory);
    this.#left = new OrphanedSession(runtimeDirectory, this.#config);
    const over = this.#isOver;
    const { sync, session, presenter, cache } = await this.#compose(
      prepared,
      supervised,
      driver,
      place,
      stale,
    );
    const control = await openControlPlane({
      config: this.#config,
      runtimeDirectory,
      options: this.#options,
      events: this.#events,
      versionIdOf: session.versionIdOf,
      meter: session.meter,
      startedAt: this.#startedAt,
      mountId: this.#id,
      sync,
      cache,
      metrics: this.#metrics,
      counters: () => session.counters(),
      publications: prepared.publications,
      isMounted: () => presenter.mounted && !over.aborted,
      driver: driver.name,
      supervision: () => supervised.status,
      restart: async () => ofServer(await supervised.replacement.request(), over.aborted),
      listeners: supervised.listeners,
    });
    this.#atEnd(() => control.close());
    this.#control = control;
    this.#atEnd(supervised.reportLife(session, sync));
    this.#options.onRestartAsked(() => void supervised.replacement.request());
    const progress = setInterval(() => this.#options.onProgress(progressOf(sync.view)), PROGRESS_MS);
    try {
      const waiting = { waitMs: this.#config.waitForStoreMs, clock: systemClock, log };
      await waitForStore(() => sync.start(over), waiting, over);
      cache.resumeEviction();
      supervised.standby.restorePriority();
      // What was pinned before is, whether this tree was published now or before.
      this.#events.onPublished();
      this.#options.onRefreshAsked(() => void sync.refresh().catch(() => undefined));
      sync.ready.then(
        () => this.#onReady(sync),
        (error: unknown) => this.#onNeverReady(error, sync),
      );
      await sync.run(over);
    } catch (error) {
      if (!over.aborted) throw error;
    } finally {
      clearInterval(progress);
      // A failure does not unmount if the supervisor will start a successor.
      const isOver =
        stop.aborted || this.#detached.signal.aborted || (this.#ended.signal.aborted && !this.#brokeOff);
      if (presenter.mounted && (isOver || !supervised.hasSupervisor)) {
        await place.giveUp(this.#ended.signal);
        this.#mounted = false;
        supervised.mount.unmounted();
        tellUnmounted(log, target, await session.counters(), sync.view.problems.length);
      }
      await session.stop();
      if (session.isStuck && !this.#mounted) place.abort();
    }
    this.#failed.signal.throwIfAborted();
    return { outcome: stop.aborted ? 'stopped' : 'unmounted-outside' };
  }

  async #compose(
    { connected, soonConnected, startSourceWorker, gate, session, witness }: Prepared,
    supervised: Supervised,
    driver: Driver,
    place: MountPlace,
    replacesStale: boolean,
  ) {
    const config = this.#config;
    const { log } = this.#options;
    const { target, source, allowOther, uid, gid, umask } = config;
    const { cacheDirectory } = this.#places;
    // A successor has the lock, and its readers wait; anybody else has first to be alone, and reach the store.
    const { device } = supervised.mount;
    const { record, goesOn } = lookAtLeft(supervised.mount, driver.name, log);
    let kept = device === undefined ? undefined : await this.#openKeptState(goesOn);
    const presentation: Presentation = (kept?.succession && record?.presentation) ?? { uid, gid, umask };
    const naming = { source, keyPrefix: config.prefix };
    const inherited =
      device === undefined || kept?.restored === undefined || kept.succession === undefined
        ? undefined
        : takeOver({
            session,
            device,
            init: record?.init,
            journal: supervised.mount.journal,
            restored: kept.restored,
            succession: kept.succession,
            presentation,
            naming,
            cacheDirectory,
          });
    if (inherited !== undefined) supervised.heartbeat.answering();
    await (inherited === undefined ? connected() : soonConnected());
    const [sourceWorker, connecting] = [startSourceWorker(), connected()];
    const { cache, replaced } = await openContent({
      directory: cacheDirectory,
      limitBytes: config.cacheSizeBytes,
      store: connecting,
      onReplaced: (path, etag) => sync.contentReplaced(path, etag),
      lockFile: (path) => supervised.lockFile(path),
      events: this.#events,
      log,
    });
    session.versionIdOf = (path, etag) => replaced.versionIdOf(path, etag);
    this.#atEnd(() => cache.close());
    kept ??= await this.#openKeptState(false);
    const { store: persister, restored } = kept;
    if (restored === undefined) cache.resumeEviction();
    // What was inherited is mounted also where this server does not come to go on with it.
    this.#atEnd(() => persister.close({ unmounted: !this.#mounted && !supervised.mount.isDepended }));
    const { store, ...connection } = await connecting;
    const salt = restored?.generation.salt ?? randomBytes(8).readBigUInt64LE();
    const opened = openSource({
      config,
      connection,
      worker: sourceWorker,
      salt,
      log,
      observer: this.#metrics,
      witness,
    });
    const presenter = new MountPresenter({
      session,
      driver,
      target,
      source,
      prefix: config.prefix,
      allowOther,
      replacesStale,
      presentation,
      cacheDirectory,
      journal: supervised.mount.journal,
      log,
      onMounted: (serving) => {
        supervised.serving(serving, presentation);
        this.#onMounted(driver, place, serving, supervised);
      },
      onOpened: (connection) => supervised.opened(connection),
      over: this.#isOver,
      inherited,
    });
    const syncOptions: SyncOptions = {
      ...this.#wiring.parts({ source: opened.source, cache, presenter, persister }),
      etags: opened.etags,
      planner: connection.planner,
      clock: systemClock,
      log,
      ...publicationPolicy(config),
      watchedKey: config.ref === undefined ? watchedKeyOf(config.watchKey, store) : undefined,
      probe: (path, signal) => probeObject(store, path, signal),
      ...keepLastSuccess(`${cacheDirectory}/last-success`, log),
      notice: this.#events.notice,
      observeStage: (stage, seconds) => {
        this.#metrics.stage(stage, seconds);
        log.debug({ event: 'stage', stage, seconds }, 'stage');
      },
    };
    const sync: Sync = new Sync(syncOptions, restored && { ...restored, content: inherited?.content });
    session.mainIsThere();
    gate.open(
      async (version, chunk, signal, reader) => {
        const options = { deadlineMs: config.readDeadlineMs, signal, reader };
        return this.#failedReads.told(version.path, await sync.read(version, chunk, options));
      },
      (nodeIds) => presenter.released(nodeIds),
    );
    return { sync, session, presenter, cache };
  }

  #openKeptState(takesOver: boolean): Promise<KeptState> {
    return openKeptState({
      ...this.#places,
      config: this.#config,
      mountId: this.#id,
      takesOver,
      clock: systemClock,
      log: this.#options.log,
    });
  }

  #onMounted(driver: Driver, place: MountPlace, serving: Serving, supervised: Supervised): void {
    const { target, source } = this.#config;
    this.#mounted = true;
    const { readahead, connection } = place.taken(() => this.#detached.abort());
    supervised.setTakeoverDeadline(connection);
    this.#announcement.ready = false;
    this.#atEnd(() => this.#announcement.remove());
    this.#left?.replaced();
    tellMounted(this.#options.log, { source, target, driver, readahead, serving, supervised });
    if (serving.takenOver !== undefined) this.#events.restarted(supervised.succession(serving.at));
  }

  /** Nothing can be read at all: the end of a first start, but no reason to take away a tree that was there before. */
  #onNeverReady(error: unknown, sync: Sync): void {
    if (!sync.isRestored) this.#failed.abort(error);
  }

  #onReady(sync: Sync): void {
    const { generation, cacheTooSmall } = sync.view;
    this.#announcement.ready = true;
    this.#options.log.info({ event: 'ready', generation, cacheTooSmall }, 'ready');
    this.#supervised?.heartbeat.ready();
    const supervisor = this.#supervised?.supervisorPid;
    this.#options.onReady(
      supervisor !== undefined && isRunning({ pid: supervisor }) ? supervisor : process.pid,
    );
  }

  #onReplacement(replacement: Replacement): void {
    tellReplacement(this.#options.log, ofServer(replacement, this.#isOver.aborted));
    if (replacement.kind !== 'stands-by') return;
    void Promise.resolve(this.#control?.answered(LAST_ANSWERS_MS)).then(() =>
      this.#supervised?.replacement.handOver(),
    );
  }

  #onEnded(reason: string | undefined): void {
    if (reason !== undefined) {
      this.#brokeOff = !reason.startsWith('errno');
      this.#failed.abort(
        new MountError(
          'session-failed',
          `The session with the kernel broke off (${reason}).`,
          'Mount again; the log says more at --log-level debug.',
        ),
      );
    }
    this.#ended.abort();
  }
}
