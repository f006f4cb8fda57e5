import type { Logger } from '../base/logger.ts';
import { persistedFiles } from '../base/persisted-files.ts';
import type { ContentCache } from '../cache/content-cache.ts';
import type { DirectoryLock } from '../cache/directory-lock.ts';
import { publicationPolicy } from '../config/publication-policy.ts';
import { EarlyLook } from '../source/early-look.ts';
import type { QueueFollower } from '../source/events/follow-queue.ts';
import type { HintObserver } from '../source/hint.ts';
import type { StandbySource } from '../source/standby/standby-source.ts';
import type { CredentialsRecord } from '../store/credentials-record.ts';
import { probeObject } from '../store/probe-object.ts';
import type { ContentState } from '../sync/content-state.ts';
import type { Presenter } from '../sync/ports.ts';
import { Sync, type SyncOptions } from '../sync/sync.ts';
import { systemClock } from '../sync/system-clock.ts';
import { VersionContent } from '../sync/version-content.ts';
import type { KeptState } from '../takeover/kept-state.ts';
import type { MountTree } from '../takeover/mount-trees.ts';
import type { PreparedTree } from '../takeover/tree-preparation.ts';
import type { DaemonEvents } from '../views/events.ts';
import { shownStepOf } from '../views/release.ts';
import type { ContentSwitch } from './content-switch.ts';
import { FailedReads } from './failed-reads.ts';
import { keepLastSuccess } from './last-success.ts';
import type { VersionMeans } from './loaded-versions.ts';
import type { MountedSource } from './mounted-source.ts';
import { openContent } from './open-content.ts';
import { recordVerified } from './record-verified.ts';
import type { ServedMount } from './served-mount.ts';

/** The parts of which a tree is composed. */
export interface TreeParts {
  readonly tree: MountTree;
  readonly prepared: PreparedTree;
  readonly mounted: MountedSource;
  /** Undefined without standby sources. */
  readonly contents: ContentSwitch | undefined;
  readonly kept: KeptState;
  /** The content state of the kept tree, shared with the session. */
  readonly content: ContentState | undefined;
  readonly presenter: Presenter & { released(nodeIds: readonly number[]): void };
  readonly salt: bigint;
  /** The lock of the cache directory. */
  readonly lock: DirectoryLock;
  readonly events: DaemonEvents;
  /** Whether any tree was kept. Then readers are served even if the queue, for example, cannot be opened. */
  readonly isRestored: boolean;
  /** Whether another server may resume the connection after this one. */
  readonly mayBeResumed: boolean;
  readonly log: Logger;
  /** Closes what writes the tree's state. */
  readonly closeKept: () => Promise<void>;
}

/** A tree that follows its source. */
export interface ComposedTree {
  readonly tree: MountTree;
  readonly sync: Sync;
  readonly cache: ContentCache;
  readonly events: DaemonEvents;
  readonly log: Logger;
  /**
   * Finds versions (earlier releases) in the tree's source, and fetches their content; undefined if the
   * source has none.
   */
  readonly versions: VersionMeans | undefined;
  /** Turns events into hints; undefined without a queue. */
  readonly queue: QueueFollower | undefined;
  readonly credentials: CredentialsRecord;
  /** Decides which store trees are read from; undefined without standby sources. */
  readonly standby: StandbySource | undefined;
  /** Counts hints. */
  readonly onHint: HintObserver;
  /**
   * Returns the version id that the store gave to the object with this path and ETag, if dagmount knows it.
   */
  readonly versionIdOf: (path: string, etag: string) => string | undefined;
  /** Lets readers ask this server for content. */
  readonly openGate: () => void;
}

/**
 * Opens the cache of a tree, connects its source, and lets Sync use both. Calls `onCache` when the lock
 * passes to the cache, which from then on releases it.
 */
export async function composeTree(
  mount: Pick<ServedMount, 'wiring' | 'atEnd' | 'metrics' | 'announcement' | 'over'>,
  parts: TreeParts,
  onCache: () => void,
): Promise<ComposedTree> {
  const { wiring, atEnd } = mount;
  const { tree, prepared, mounted, contents, kept, content, presenter, salt, lock, events, log } = parts;
  const { config, places } = tree;
  const { cacheDirectory } = places;
  const { store: persister, restored } = kept;
  const [sourceWorker, connecting] = [prepared.sourceWorker(), prepared.connected()];
  onCache();
  const { cache, replaced } = await openContent({
    directory: cacheDirectory,
    limitBytes: config.cacheSizeBytes,
    store: connecting,
    onReplaced: (path, etag) => sync.contentReplaced(path, etag),
    lock,
    events,
    log,
  });
  atEnd(() => cache.close());
  // Endings run in reverse order: this one runs before cache.close() releases the lock.
  atEnd(parts.closeKept);
  const [connection, allMetrics] = await Promise.all([connecting, mount.metrics()]);
  const metrics = allMetrics.of(tree.path);
  const {
    source: first,
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
      source: first,
      contents,
      cache,
      shown: () => sync.shown,
      salt,
      observer: metrics,
      startWorker: prepared.startSourceWorker,
      onChange: events.standby,
      clock: systemClock,
      log,
      atEnd,
    });
  const followed = standby ?? first;
  // Without a kept tree, readers wait for the first look.
  const isEarly = restored === undefined && known.watchedKey === undefined;
  const early = isEarly ? new EarlyLook(followed, systemClock, mount.over) : undefined;
  atEnd(() => early?.end());
  const onHint: HintObserver = (from, outcome, count = 1) => {
    metrics.hint(from, outcome, count);
    if (outcome === 'taken')
      log.debug(
        { event: 'hinted', origin: from },
        'received a hint that the source may have changed; dagmount checks it soon',
      );
  };
  const syncOptions: SyncOptions = {
    ...wiring.parts({ source: early ?? followed, cache, presenter, persister }),
    ...known,
    planner: connection.planner,
    onHint,
    standby,
    clock: systemClock,
    log,
    ...publicationPolicy(config),
    probe: (path, signal) => probeObject(connection.content, path, signal),
    ...keepLastSuccess(`${cacheDirectory}/${persistedFiles.lastSuccess.name}`, log),
    notice: (notice) => {
      events.notice(notice);
      if (notice.kind === 'published') announceStep(mount, tree, sync);
    },
    observeStage: (stage, seconds) => {
      metrics.stage(stage, seconds);
      log.debug({ event: 'stage', stage, seconds }, 'stage');
    },
  };
  const sync: Sync = new Sync(syncOptions, restored && { ...restored, content });
  if (parts.mayBeResumed) atEnd(recordVerified({ store: persister, shown: () => sync.shown }));
  const failedReads = new FailedReads(log);
  const openGate = (): void =>
    prepared.gate.open(
      async (version, chunk, signal, reader) => {
        const options = { deadlineMs: config.readDeadlineMs, signal, reader };
        return failedReads.told(version.path, await sync.read(version, chunk, options));
      },
      (nodeIds) => presenter.released(nodeIds),
    );
  const versionIdOf = (path: string, etag: string): string | undefined => replaced.versionIdOf(path, etag);
  // Like the store's client, these modules are loaded only by a mount that uses them.
  const queue =
    config.events === undefined
      ? undefined
      : await (await import('./open-events.ts')).openEvents({
          config,
          connection,
          sync,
          observer: onHint,
          log,
          isRestored: parts.isRestored,
          atEnd,
        });
  return {
    tree,
    sync,
    cache,
    events,
    log,
    versions: versions && {
      source: versions,
      content: versionContent(parts, { cache, sync, connection }, atEnd),
      shown: () => sync.shown,
    },
    queue,
    credentials: connection.found,
    standby,
    onHint,
    versionIdOf,
    openGate,
  };
}

function versionContent(
  { tree: { config }, log }: TreeParts,
  { cache, sync, connection }: Pick<ComposedTree, 'cache' | 'sync'> & { readonly connection: Connected },
  atEnd: ServedMount['atEnd'],
): VersionContent {
  const content = new VersionContent({
    cache,
    planner: connection.planner,
    concurrency: config.concurrency,
    prefetchBytes: config.prefetchBytes,
    isBusy: () => sync.isFetching,
    clock: systemClock,
    log,
  });
  atEnd(() => content.stop());
  return content;
}

type Connected = Awaited<ReturnType<PreparedTree['connected']>>;

/**
 * Announces the step that a mount shows, for the list of the host's mounts. A mount of several trees
 * announces no step.
 */
export function announceStep(
  { announcement }: Pick<ServedMount, 'announcement'>,
  { path }: Pick<MountTree, 'path'>,
  { shown }: Pick<Sync, 'shown'>,
): void {
  if (path === '') announcement.release = shownStepOf(shown?.release);
}
