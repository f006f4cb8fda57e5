import { randomBytes } from 'node:crypto';
import type { ContentCache } from '../cache/content-cache.ts';
import { publicationPolicy } from '../config/publication-policy.ts';
import type { Presentation, Serving } from '../session/messages.ts';
import type { SessionClient } from '../session/session-client.ts';
import { probeObject } from '../store/probe-object.ts';
import { Sync, type SyncOptions } from '../sync/sync.ts';
import { systemClock } from '../sync/system-clock.ts';
import { type KeptState, openKeptState } from '../takeover/kept-state.ts';
import { MountPresenter } from '../takeover/mount-presenter.ts';
import { lookAtLeft } from '../takeover/predecessor.ts';
import { takeOver } from '../takeover/take-over.ts';
import type { Acquired } from './acquire.ts';
import { FailedReads } from './failed-reads.ts';
import { keepLastSuccess } from './last-success.ts';
import { openContent } from './open-content.ts';
import type { ServedMount } from './served-mount.ts';

export interface ComposeHooks {
  /** Whether the kernel holds a mount of this server. */
  readonly isMounted: () => boolean;
  /** The mount is there and served. */
  readonly onMounted: (serving: Serving) => void;
}

export interface Composed {
  readonly sync: Sync;
  readonly session: SessionClient;
  readonly presenter: MountPresenter;
  readonly cache: ContentCache;
}

/**
 * Puts the parts of a server together: what was left, the cache, the kept state, the source, and Sync over them. A successor
 * answers readers in the midst of it, as soon as it knows the tree.
 */
export async function compose(
  mount: ServedMount,
  acquired: Acquired,
  hooks: ComposeHooks,
): Promise<Composed> {
  const { config, options, atEnd } = mount;
  const { log } = options;
  const { driver, supervised, prepared, mounted, replacesStale } = acquired;
  const { connected, soonConnected, startSourceWorker, gate, session } = prepared;
  const failedReads = new FailedReads(log);
  const { target, source, allowOther, uid, gid, umask } = config;
  const { cacheDirectory } = mount.places;
  // A successor has the lock, and its readers wait; anybody else has first to be alone, and reach the store.
  const { device } = supervised.mount;
  const { record, goesOn } = lookAtLeft(supervised.mount, driver.name, log);
  let kept = device === undefined ? undefined : await keptState(mount, goesOn);
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
    events: mount.events,
    log,
  });
  session.versionIdOf = (path, etag) => replaced.versionIdOf(path, etag);
  atEnd(() => cache.close());
  kept ??= await keptState(mount, false);
  const { store: persister, restored } = kept;
  if (restored === undefined) cache.resumeEviction();
  // What was inherited is mounted also where this server does not come to go on with it.
  atEnd(() => persister.close({ unmounted: !hooks.isMounted() && !supervised.mount.isDepended }));
  const connection = await connecting;
  const salt = restored?.generation.salt ?? randomBytes(8).readBigUInt64LE();
  const { source: trees, ...known } = mounted.open({
    connection,
    worker: sourceWorker,
    salt,
    observer: mount.metrics,
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
      hooks.onMounted(serving);
    },
    onOpened: (connection) => supervised.opened(connection),
    over: mount.over,
    inherited,
  });
  const syncOptions: SyncOptions = {
    ...mount.wiring.parts({ source: trees, cache, presenter, persister }),
    ...known,
    planner: connection.planner,
    clock: systemClock,
    log,
    ...publicationPolicy(config),
    probe: (path, signal) => probeObject(connection.store, path, signal),
    ...keepLastSuccess(`${cacheDirectory}/last-success`, log),
    notice: mount.events.notice,
    observeStage: (stage, seconds) => {
      mount.metrics.stage(stage, seconds);
      log.debug({ event: 'stage', stage, seconds }, 'stage');
    },
  };
  const sync: Sync = new Sync(syncOptions, restored && { ...restored, content: inherited?.content });
  session.mainIsThere();
  gate.open(
    async (version, chunk, signal, reader) => {
      const options = { deadlineMs: config.readDeadlineMs, signal, reader };
      return failedReads.told(version.path, await sync.read(version, chunk, options));
    },
    (nodeIds) => presenter.released(nodeIds),
  );
  return { sync, session, presenter, cache };
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
