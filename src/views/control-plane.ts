import type { LeveledLogger, Logger } from '../base/logger.ts';
import { ownPackage } from '../base/own-package.ts';
import { persistedFiles } from '../base/persisted-files.ts';
import { groupId } from '../config/group-id.ts';
import type { MountConfig, ShownTreeOptions } from '../config/mount-config.ts';
import type { ResolvedOption } from '../config/resolve.ts';
import { type Closing, startControlServer } from '../control/control-server.ts';
import { controlRoutes, controlRoutesOfTrees } from '../control/endpoints/endpoints.ts';
import { boundAt } from '../control/http/unix-socket.ts';
import type { ControlledTree } from '../control/views.ts';
import { mountRuntimeDirectory, mountSocket } from '../host/runtime-paths.ts';
import { readSocketRecord, removeSocketRecord, writeSocketRecord } from '../host/socket-record.ts';
import type { RootAttribute } from '../session/root-attributes.ts';
import type { KeptListeners } from '../takeover/kept/kept-listeners.ts';
import { PathFilter } from '../tree/index.ts';
import { type CacheObserved, DaemonCache } from './cache.ts';
import { DaemonViews, type Observed } from './daemon-views.ts';
import type { DaemonEvents } from './events.ts';
import { MountViews } from './mount-views.ts';
import { PinnedPaths, type PinnedPathsOptions } from './pinned-paths.ts';
import { DaemonProcess } from './process.ts';
import { rootAttribute } from './root-attributes.ts';
import { DaemonTree, type TreeObserved } from './tree.ts';

export interface ControlPlaneOptions
  extends Omit<
    Observed,
    | 'version'
    | 'versions'
    | 'pid'
    | 'source'
    | 'prefix'
    | 'target'
    | 'now'
    | 'sync'
    | 'cache'
    | 'standby'
    | 'credentials'
  > {
  readonly config: MountConfig;
  /** The prepared runtime directory of all mounts of this user. */
  readonly runtimeDirectory: string;
  readonly options: {
    readonly log: LeveledLogger;
    /** Each option with the origin of its value. */
    readonly resolved?: readonly ResolvedOption[] | undefined;
    readonly resolvedTrees?: readonly ShownTreeOptions[] | undefined;
  };
  /** The trees of the mount, indexed by their numbers. */
  readonly trees: readonly ShownTree[];
  readonly events: Pick<DaemonEvents, 'feed'>;
  /** Called for each request of the webhook. */
  readonly onWebhook: (outcome: 'taken' | 'refused') => void;
  /** Has the listening sockets of the previous server, and keeps those of this server for the next one. */
  readonly listeners: Pick<KeptListeners, 'listener' | 'listening' | 'endListener'>;
}

/** A tree of the mount. */
export interface ShownTree {
  /** The path below the mount point; '' if the tree is the whole mount. */
  readonly path: string;
  readonly config: MountConfig;
  readonly cacheDirectory: string;
  readonly log: Logger;
  readonly sync: Observed['sync'] & CacheObserved['sync'] & TreeObserved['sync'];
  readonly cache: Observed['cache'] & CacheObserved['cache'] & PinnedPathsOptions['cache'];
  /**
   * Returns the version id that the store gave to this content in an answer; undefined if no answer had one.
   */
  readonly versionIdOf: TreeObserved['versionIdOf'];
  /** The versions (earlier releases) beside the current tree; undefined if the mount shows none. */
  readonly versions: (NonNullable<Observed['versions']> & NonNullable<TreeObserved['versions']>) | undefined;
  readonly credentials: Observed['credentials'];
  readonly standby: Observed['standby'];
  readonly events: DaemonEvents;
}

export interface ControlPlane {
  /** Path of the control socket. */
  readonly socket: string;
  /** Returns the value of an extended attribute of a tree's root. */
  readonly rootAttributeOf: (tree: number, attribute: RootAttribute) => string | undefined;
  /** Resolves when the socket has answered all requests, or after `deadlineMs`. */
  answered(deadlineMs: number): Promise<void>;
  close(options: Closing): Promise<void>;
}

/** Opens the control socket, before the first tree is shown. Rejects with ControlError or ConfigError. */
export async function openControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { config, runtimeDirectory, mountId, events } = options;
  const { log, resolved = [], resolvedTrees = [] } = options.options;
  const { source, target, socketGroup, metricsListen, webhookListen, webhookSecretFile } = config;
  const { version } = ownPackage();
  const trees: OpenedTree[] = [];
  for (const tree of options.trees) trees.push(await openTree(tree, options, version));
  const parts = {
    version,
    events: events.feed,
    process: new DaemonProcess({
      mount: { id: mountId, source, target },
      options: resolved,
      trees: resolvedTrees,
      log,
    }),
  };
  const only = trees.find(({ path }) => path === '');
  const views = only?.views ?? new MountViews({ ...options, source, target, trees });
  const { listeners } = options;
  if (metricsListen === undefined) listeners.endListener('metrics');
  if (webhookListen === undefined) listeners.endListener('webhook');
  const ownDirectory = mountRuntimeDirectory(runtimeDirectory, mountId);
  const inherited = listeners.listener('control');
  const socket = config.socket ?? mountSocket(runtimeDirectory, mountId);
  const server = await startControlServer({
    routes:
      only === undefined
        ? controlRoutesOfTrees(views, parts, trees)
        : controlRoutes(only.views, { ...parts, ...only }),
    views,
    events: events.feed,
    log,
    socket: {
      path: socket,
      mode: config.socketMode,
      gid: socketGroup === undefined ? undefined : groupId(socketGroup),
      uid: process.geteuid?.() ?? 0,
      // If the previous server left no socket record, its socket is either at the path that this server uses,
      // or at an unknown path.
      former:
        readSocketRecord(ownDirectory) ?? (inherited === undefined ? undefined : boundAt(socket, inherited)),
      inherited:
        inherited === undefined
          ? undefined
          : { fd: inherited, leave: () => listeners.endListener('control') },
      onListening: (fd, at) => {
        // The record is written first, because a successor discards a descriptor without a record.
        writeSocketRecord(ownDirectory, at);
        listeners.listening('control', fd);
      },
    },
    metrics: metricsListen && {
      ...metricsListen,
      inherited: listeners.listener('metrics'),
      onListening: (fd) => listeners.listening('metrics', fd),
    },
    webhook:
      webhookListen === undefined || webhookSecretFile === undefined
        ? undefined
        : {
            ...webhookListen,
            what: { subject: 'The webhook', option: '--webhook-listen' },
            secretFile: webhookSecretFile,
            onHint: () => options.onWebhook('taken'),
            onRefused: () => options.onWebhook('refused'),
            inherited: listeners.listener('webhook'),
            onListening: (fd) => listeners.listening('webhook', fd),
          },
  });
  const { metricsPort, webhookPort } = server;
  const ports = {
    ...(metricsPort !== undefined && { metricsPort }),
    ...(webhookPort !== undefined && { webhookPort }),
  };
  log.info({ event: 'listening', socket, ...ports }, 'the control socket accepts requests');
  return {
    socket,
    rootAttributeOf: (tree, attribute) => rootAttribute(trees[tree]!.views.status(), attribute),
    answered: (deadlineMs) => server.answered(deadlineMs),
    close: async (closing) => {
      await server.close(closing);
      if (!closing.leavesSocket) removeSocketRecord(ownDirectory);
    },
  };
}

interface OpenedTree extends ControlledTree {
  readonly views: DaemonViews;
}

/**
 * Creates the views of a tree for the control socket, and restores the paths that were pinned in the tree's
 * cache.
 */
async function openTree(
  shown: ShownTree,
  options: ControlPlaneOptions,
  version: string,
): Promise<OpenedTree> {
  const { path, config, cacheDirectory, log, sync, cache, versions, versionIdOf, events } = shown;
  const { source, prefix, target, include, exclude, concurrency } = config;
  const isWhole = path === '';
  const views = new DaemonViews({
    ...options,
    // The session counts the content that it finds by itself only for all trees together.
    meter: isWhole ? options.meter : withoutLocalReads(options.meter),
    sync,
    cache,
    versions,
    credentials: shown.credentials,
    standby: shown.standby,
    version,
    pid: process.pid,
    source,
    prefix,
    target: isWhole ? target : `${target}/${path}`,
    now: Date.now,
  });
  const generation = () => sync.shown?.generation;
  const pins = new PinnedPaths({
    cache,
    generation,
    file: `${cacheDirectory}/${persistedFiles.pins.name}`,
    log,
  });
  await pins.restore();
  events.onPublished = () => void pins.apply();
  return {
    path,
    views,
    tree: new DaemonTree({
      sync,
      cache,
      versions,
      prefix,
      filter: PathFilter.compile({ include, exclude }),
      problems: () => views.problems(),
      versionIdOf,
      isPinned: (pinned) => pins.has(pinned),
    }),
    cache: new DaemonCache({
      sync,
      cache,
      versions,
      pins,
      directory: cacheDirectory,
      sessionHits: () => (isWhole ? options.meter.localReads : 0),
      concurrency,
    }),
  };
}

function withoutLocalReads(meter: Observed['meter']): Observed['meter'] {
  return {
    localReads: 0,
    get opcodes() {
      return meter.opcodes;
    },
    get readErrors() {
      return meter.readErrors;
    },
    get durations() {
      return meter.durations;
    },
  };
}
