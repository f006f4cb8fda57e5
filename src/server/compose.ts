import { randomBytes } from 'node:crypto';
import { keptFiles } from '../base/kept-files.ts';
import type { ContentCache } from '../cache/content-cache.ts';
import { flockWith, lockPath } from '../cache/directory-lock.ts';
import type { MountConfig } from '../config/mount-config.ts';
import { publicationPolicy } from '../config/publication-policy.ts';
import { shownSource } from '../config/shown-source.ts';
import { releaseKeys } from '../release/index.ts';
import type { Presentation, Serving } from '../session/messages.ts';
import type { Naming } from '../session/naming.ts';
import type { SessionClient } from '../session/session-client.ts';
import type { QueueFollower } from '../source/events/follow-queue.ts';
import type { HintObserver } from '../source/hint.ts';
import type { StandbySource } from '../source/standby/standby-source.ts';
import { checkWay } from '../store/check-way.ts';
import type { CredentialsRecord } from '../store/credentials-record.ts';
import { probeObject } from '../store/probe-object.ts';
import { ContentState } from '../sync/content-state.ts';
import { Sync, type SyncOptions } from '../sync/sync.ts';
import { systemClock } from '../sync/system-clock.ts';
import { VersionContent } from '../sync/version-content.ts';
import { type KeptState, openKeptState } from '../takeover/kept-state.ts';
import { MountPresenter } from '../takeover/mount-presenter.ts';
import { lookAtLeft } from '../takeover/predecessor.ts';
import { takeOver } from '../takeover/take-over.ts';
import { warnUnlessIdmap } from '../takeover/warn-unless-idmap.ts';
import { shownStepOf } from '../views/release.ts';
import type { Acquired } from './acquire.ts';
import { FailedReads } from './failed-reads.ts';
import { keepLastSuccess } from './last-success.ts';
import { openContent } from './open-content.ts';
import { openShelf } from './open-shelf.ts';
import type { ServedMount } from './served-mount.ts';
import type { VersionShelf } from './version-shelf.ts';

export interface ComposeHooks {
  /** Whether the kernel holds a mount of this server. */
  readonly isMounted: () => boolean;
  /** There is a mount that this server made. */
  readonly onOpened: () => void;
  /** The mount is there and served. */
  readonly onMounted: (serving: Serving) => void;
}

export interface Composed {
  readonly sync: Sync;
  readonly session: SessionClient;
  readonly presenter: MountPresenter;
  readonly cache: ContentCache;
  readonly shelf: VersionShelf | undefined;
  /** Turns events into hints; undefined without a queue. */
  readonly events: QueueFollower | undefined;
  readonly credentials: CredentialsRecord;
  /** Where trees are read from; undefined without standbys. */
  readonly standby: StandbySource | undefined;
  /** Counts hints. */
  readonly onHint: HintObserver;
  /** Resolves when the cache knows what versions show. */
  readonly isContentKnown: Promise<void> | undefined;
}

/**
 * Puts the parts of a server together: what was left, the kept state, the cache, the source, and Sync over them. Where a tree
 * was kept, readers are answered as soon as that is read, before the client of the store and the cache are ready: those take
 * the most time.
 */
export async function compose(
  mount: ServedMount,
  acquired: Acquired,
  hooks: ComposeHooks,
): Promise<Composed> {
  const { config, options, atEnd } = mount;
  const { log } = options;
  const { driver, supervised, prepared, mounted, contents, replacesStale } = acquired;
  const { connected, soonConnected, startSourceWorker, gate, session } = prepared;
  const failedReads = new FailedReads(log);
  const { target, allowOther, allowIdmap, uid, gid, umask } = config;
  const { cacheDirectory } = mount.places;
  const { device, isInherited } = supervised.mount;
  const { record, goesOn } = lookAtLeft(supervised.mount, driver.name, log);
  // Nothing of another server's is touched before this one is known to be alone; a successor has the lock.
  const lock = flockWith((path) => supervised.lockFile(path))(lockPath(cacheDirectory));
  let isOfCache = false;
  atEnd(() => isOfCache || lock.release());
  const { store: persister, restored, succession } = await keptState(mount, goesOn);
  const salt = restored?.generation.salt ?? randomBytes(8).readBigUInt64LE();
  const shelf = await openShelf(mount, session, salt);
  if (shelf !== undefined) prepared.versionsBy(shelf);
  let closed: Promise<void> | undefined;
  // What was inherited is mounted also where this server does not come to go on with it.
  const closeKept = (): Promise<void> => {
    closed ??= persister.close({ unmounted: !hooks.isMounted() && !supervised.mount.isDepended });
    return closed;
  };
  atEnd(closeKept);
  const presentation: Presentation = (succession && record?.presentation) ?? { uid, gid, umask };
  const naming = namingOf(config);
  const inherited =
    device === undefined || restored === undefined || succession === undefined
      ? undefined
      : takeOver({
          session,
          device,
          init: record?.init,
          journal: supervised.mount.journal,
          restored,
          succession,
          presentation,
          versions: shelf?.served,
          naming,
          cacheDirectory,
        });
  if (inherited !== undefined) supervised.heartbeat.answering();
  const presenter = new MountPresenter({
    session,
    driver,
    target,
    naming,
    allowOther,
    allowIdmap,
    replacesStale,
    presentation,
    versions: () => shelf?.served,
    cacheDirectory,
    journal: supervised.mount.journal,
    log,
    onMounted: (serving) => {
      if (allowIdmap) warnUnlessIdmap(serving.init, log);
      supervised.serving(serving, presentation);
      hooks.onMounted(serving);
    },
    onKeptShown: (serving) => supervised.mount.serving(serving, presentation),
    onOpened: (connection) => {
      supervised.opened(connection);
      hooks.onOpened();
    },
    over: mount.over,
    inherited,
  });
  const content = inherited?.content ?? (restored && new ContentState(restored.generation.entries));
  // The process of fuse-native finds content by itself only once it has lost its server.
  if (restored !== undefined && content !== undefined && !isInherited && driver.name === 'kernel') {
    await checkWay(config, process.env);
    presenter.showKept({ generation: restored.generation, fingerprints: content.fingerprints });
  }
  await (inherited === undefined ? connected() : soonConnected());
  const [sourceWorker, connecting] = [startSourceWorker(), connected()];
  isOfCache = true;
  const { cache, replaced } = await openContent({
    directory: cacheDirectory,
    limitBytes: config.cacheSizeBytes,
    store: connecting,
    onReplaced: (path, etag) => sync.contentReplaced(path, etag),
    lock,
    events: mount.events,
    log,
  });
  session.versionIdOf = (path, etag) => replaced.versionIdOf(path, etag);
  atEnd(() => cache.close());
  // Before the lock is let go of.
  atEnd(closeKept);
  const [connection, metrics] = await Promise.all([connecting, mount.metrics()]);
  const {
    source: ofFirst,
    versions,
    ...known
  } = mounted.open({
    connection,
    worker: sourceWorker,
    salt,
    observer: metrics,
  });
  const standby =
    contents &&
    (await import('./standbys.ts')).openStandbys({
      config,
      cacheDirectory,
      source: ofFirst,
      contents,
      cache,
      shown: () => sync.shown,
      salt,
      observer: metrics,
      startWorker: startSourceWorker,
      onChange: mount.events.standby,
      clock: systemClock,
      log,
      atEnd,
    });
  const trees = standby ?? ofFirst;
  const versionContent = new VersionContent({
    cache,
    planner: connection.planner,
    concurrency: config.concurrency,
    prefetchBytes: config.prefetchBytes,
    isBusy: () => sync.isFetching,
    clock: systemClock,
    log,
  });
  atEnd(() => versionContent.stop());
  const isContentKnown =
    versions === undefined ? undefined : shelf?.open({ source: versions, content: versionContent });
  if (restored === undefined) void Promise.resolve(isContentKnown).then(() => cache.resumeEviction());
  void shelf?.tidy(mount.over);
  const onHint: HintObserver = (from, outcome, count = 1) => {
    metrics.hint(from, outcome, count);
    if (outcome === 'taken') log.debug({ event: 'hinted', origin: from }, 'a hint came');
  };
  const syncOptions: SyncOptions = {
    ...mount.wiring.parts({ source: trees, cache, presenter, persister }),
    ...known,
    planner: connection.planner,
    onHint,
    standby,
    clock: systemClock,
    log,
    ...publicationPolicy(config),
    probe: (path, signal) => probeObject(connection.content, path, signal),
    ...keepLastSuccess(`${cacheDirectory}/${keptFiles.lastSuccess.name}`, log),
    notice: (notice) => {
      mount.events.notice(notice);
      if (notice.kind === 'published') mount.announcement.release = shownStepOf(sync.shown?.release);
    },
    observeStage: (stage, seconds) => {
      metrics.stage(stage, seconds);
      log.debug({ event: 'stage', stage, seconds }, 'stage');
    },
  };
  const sync: Sync = new Sync(syncOptions, restored && { ...restored, content });
  session.mainIsThere();
  gate.open(
    async (version, chunk, signal, reader) => {
      const options = { deadlineMs: config.readDeadlineMs, signal, reader };
      return failedReads.told(version.path, await sync.read(version, chunk, options));
    },
    (nodeIds) => presenter.released(nodeIds),
  );
  const isRestored = restored !== undefined;
  const opening = { config, connection, sync, observer: onHint, log, isRestored, atEnd };
  // As the store's client, these are loaded only by a mount that uses them.
  const events =
    config.events === undefined ? undefined : await (await import('./open-events.ts')).openEvents(opening);
  const { found: credentials } = connection;
  return { sync, session, presenter, cache, shelf, isContentKnown, events, credentials, standby, onHint };
}

/** A release has its files in packs. */
function namingOf(config: MountConfig): Naming {
  const { source, prefix: keyPrefix } = config;
  const isRelease = shownSource(config).kind === 'release';
  return { source, keyPrefix, ...(isRelease && { packPrefix: keyPrefix + releaseKeys.pack('') }) };
}

function keptState({ places, config, id, options }: ServedMount, takesOver: boolean): Promise<KeptState> {
  return openKeptState({
    ...places,
    config,
    mountId: id,
    takesOver,
    clock: systemClock,
    log: options.log,
  });
}
